import type { StatusUpdate } from "./status-update.ts";

const maxTailLength = 8 * 1024;

/** Remembers of a running build what is needed to explain its failure: names of steps, their errors, the end of their output. */
export class FailureRecord {
  readonly #names = new Map<string, string>();
  readonly #tails = new Map<string, string>();
  #failed: string | undefined;

  add(update: StatusUpdate): void {
    for (const { digest, name, error, cached, completedMs } of update.vertices) {
      if (name !== "") this.#names.set(digest, name);
      // Steps that only stopped because another one failed say so.
      if (error !== undefined && !/context canceled/.test(error)) this.#failed ??= digest;
      else if (cached || completedMs !== undefined) this.#tails.delete(digest);
    }
    for (const { vertex, text } of update.logs) {
      this.#tails.set(vertex, ((this.#tails.get(vertex) ?? "") + text).slice(-maxTailLength));
    }
  }

  /** The step that failed: the one named by the daemon, or else the first that reported an error. */
  step(digest: string | undefined): { readonly name: string | undefined; readonly logTail: string } {
    const found = digest !== undefined && this.#names.has(digest) ? digest : this.#failed;
    return found === undefined
      ? { name: undefined, logTail: "" }
      : { name: this.#names.get(found), logTail: this.#tails.get(found) ?? "" };
  }
}
