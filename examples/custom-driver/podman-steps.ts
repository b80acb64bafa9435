import type { DriverEvent } from "slipway";

/** Reads what `podman build` prints, line by line, as events: `STEP 2/3: RUN make` begins a step and ends the one before. */
export class PodmanSteps {
  readonly #emit: (event: DriverEvent) => void;
  #step: string | undefined;
  #cached = false;

  constructor(emit: (event: DriverEvent) => void) {
    this.#emit = emit;
  }

  line(text: string): void {
    const [, step, name] = /^((?:\[\d+\/\d+\] )?STEP \d+\/\d+): (.*)$/.exec(text) ?? [];
    if (step !== undefined && name !== undefined) {
      this.end();
      this.#step = step;
      this.#emit({ type: "step-start", step, name });
    } else if (text.startsWith("--> Using cache")) {
      this.#cached = true;
    } else if (this.#step !== undefined) {
      this.#emit({ type: "step-log", step: this.#step, stream: "stdout", text: `${text}\n` });
    }
  }

  /** Ends the step at work; `error` says that it failed. Resolves to its name. */
  end(error?: string): string | undefined {
    const step = this.#step;
    if (step !== undefined)
      this.#emit({ type: "step-end", step, cached: this.#cached, ...(error === undefined ? {} : { error }) });
    this.#step = undefined;
    this.#cached = false;
    return step;
  }
}
