import type { DriverEvent } from "./build-event.ts";

/** How often one and the same progress is passed on. */
const intervalMs = 100;

/**
 * Thins out progress: of each thing that progresses, the first event goes through at once and then the latest every 100 ms, so that
 * a driver may report as often as it likes. What is held back comes out before any other event that could depend on it.
 */
export class ProgressMerger {
  readonly #deliver: (event: DriverEvent) => void;
  readonly #passedMs = new Map<string, number>();
  readonly #held = new Map<string, DriverEvent>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deliver: (event: DriverEvent) => void) {
    this.#deliver = deliver;
  }

  add(event: DriverEvent): void {
    const key = progressKey(event);
    if (key === undefined) {
      if (event.type !== "step-log") this.flush();
      this.#deliver(event);
      return;
    }
    const now = performance.now();
    if (now - (this.#passedMs.get(key) ?? -Infinity) >= intervalMs && !this.#held.has(key)) {
      this.#passedMs.set(key, now);
      this.#deliver(event);
      return;
    }
    this.#held.set(key, event);
    this.#timer ??= setTimeout(() => this.flush(), intervalMs);
  }

  /** Lets out what is held back. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#held.size === 0) return;
    const now = performance.now();
    const held = [...this.#held];
    this.#held.clear();
    for (const [key, event] of held) {
      this.#passedMs.set(key, now);
      this.#deliver(event);
    }
  }
}

function progressKey(event: DriverEvent): string | undefined {
  switch (event.type) {
    case "context-progress":
      return `context ${event.context}`;
    case "step-progress":
      return `step ${event.step} ${event.task}`;
    case "push-progress":
      return `push ${event.reference}`;
    default:
      return undefined;
  }
}
