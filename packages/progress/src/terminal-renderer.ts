import type { BuildEvent } from "@slipway/core";

import { isEnded } from "./build-progress.ts";
import { drawFrame } from "./draw-frame.ts";
import { LiveRegion } from "./live-region.ts";
import { permanentLines } from "./permanent-lines.ts";
import { noProgress, progressState, type ProgressState } from "./progress-state.ts";
import { sizeOf, type RenderStream } from "./render-stream.ts";

const frameMs = 100;

/** Redraws the lower end of a terminal while builds run. */
export class TerminalRenderer {
  readonly #stream: RenderStream;
  readonly #colors: boolean;
  readonly #now: () => number;
  readonly #region = new LiveRegion();
  #state: ProgressState = noProgress;
  #permanent: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #drawnMs = -Infinity;
  #ended = false;

  constructor(options: { stream: RenderStream; colors: boolean; now: () => number }) {
    this.#stream = options.stream;
    this.#colors = options.colors;
    this.#now = options.now;
  }

  render(event: BuildEvent): void {
    if (this.#ended) return;
    const before = this.#state;
    this.#state = progressState(before, event, this.#now());
    const { columns } = sizeOf(this.#stream);
    this.#permanent.push(...permanentLines(before, event, this.#state, columns, this.#colors));
    if (this.#state.builds.every(isEnded)) this.#rest();
    else this.#run();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#rest();
  }

  #run(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#tick(), frameMs);
    this.#timer.unref();
    if (this.#now() - this.#drawnMs >= frameMs) this.#draw();
  }

  /** Draws at once what must not get lost: the process may end before another frame. */
  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#draw();
  }

  #tick(): void {
    if (this.#stream.writableNeedDrain !== true) this.#draw();
  }

  #draw(): void {
    const { columns, rows } = sizeOf(this.#stream);
    this.#drawnMs = this.#now();
    const frame = drawFrame(this.#state, columns, rows, this.#drawnMs, this.#colors);
    const text = this.#region.update(this.#permanent, frame, columns);
    this.#permanent = [];
    if (text !== "") this.#stream.write(text);
  }
}
