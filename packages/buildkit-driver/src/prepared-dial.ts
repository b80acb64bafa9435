import type { Duplex } from "node:stream";

/** Opens a connection to the host of an address. */
export type Dial = (signal: AbortSignal, url: URL) => Promise<Duplex>;

/**
 * A dialler that can be told beforehand where to. Reaching a registry through a pod takes a process in that pod: a good part of the time
 * that verifying a push takes, and one that passes unnoticed while the push goes on.
 */
export class PreparedDial implements Disposable {
  readonly #dial: Dial;
  #prepared: { readonly host: string; readonly stream: Promise<Duplex | undefined> } | undefined;

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /** Opens a connection for the next call of `dial` with the same host. That it cannot be opened is told by that call. */
  prepare(signal: AbortSignal, url: URL): void {
    const opening = this.#dial(signal, url).then(
      // Without a listener a connection that breaks while it waits would end the process.
      (stream) => stream.on("error", () => undefined),
      () => undefined,
    );
    this[Symbol.dispose]();
    this.#prepared = { host: url.host, stream: opening };
  }

  /** The prepared connection if there is one that still stands, else a new one. */
  dial: Dial = async (signal, url) => {
    const prepared = this.#prepared?.host === url.host ? await this.#take() : undefined;
    return prepared ?? (await this.#dial(signal, url));
  };

  /** Closes a connection that was prepared in vain. */
  [Symbol.dispose](): void {
    void this.#take().then((stream) => stream?.destroy());
  }

  async #take(): Promise<Duplex | undefined> {
    const stream = this.#prepared?.stream;
    this.#prepared = undefined;
    const opened = await stream;
    return opened === undefined || opened.destroyed || opened.readableEnded ? undefined : opened;
  }
}
