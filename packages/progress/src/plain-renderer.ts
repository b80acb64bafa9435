import type { BuildEvent } from "@slipway/core";

import { plainLines, unendedPlainLines } from "./plain-lines.ts";
import { noProgress, progressState, type ProgressState } from "./progress-state.ts";
import type { RenderStream } from "./render-stream.ts";

/** Writes lines as events come. */
export class PlainRenderer {
  readonly #stream: RenderStream;
  readonly #now: () => number;
  #state: ProgressState = noProgress;
  #ended = false;

  constructor(stream: RenderStream, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  render(event: BuildEvent): void {
    if (this.#ended) return;
    const before = this.#state;
    this.#state = progressState(before, event, this.#now());
    this.#write(plainLines(before, event, this.#state));
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#write(unendedPlainLines(this.#state));
  }

  #write(lines: readonly string[]): void {
    if (lines.length > 0) this.#stream.write(`${lines.join("\n")}\n`);
  }
}
