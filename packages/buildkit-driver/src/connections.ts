import type { BuildkitConnection } from "./dial-buildkit.ts";

/** One connection to each pod, shared by the builds of this process and opened at the first of them. */
export class Connections {
  readonly #open = new Map<string, Promise<BuildkitConnection>>();

  /** The connection to a pod; `dial` opens one if there is none, or if the last one is gone. */
  async get(pod: string, dial: () => Promise<BuildkitConnection>): Promise<BuildkitConnection> {
    const known = this.#open.get(pod);
    if (known !== undefined) return known;
    const opening = dial();
    this.#open.set(pod, opening);
    const forget = (): void => {
      if (this.#open.get(pod) === opening) this.#open.delete(pod);
    };
    void opening.then(({ client }) => client.closed.then(forget), forget);
    return opening;
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    const connections = await Promise.allSettled([...this.#open.values()]);
    this.#open.clear();
    await Promise.all(
      connections.flatMap((opened) => (opened.status === "fulfilled" ? [opened.value.client.close()] : [])),
    );
  }
}
