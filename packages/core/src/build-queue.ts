import type PQueue from "p-queue";

/** The line in which builds wait. */
export class BuildQueue {
  readonly #concurrency: number;
  /** Priorities of those that have not begun. */
  readonly #waiting = new Set<{ readonly priority: number }>();
  #running = 0;
  #queue: Promise<PQueue> | undefined;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** How many builds must end before one of this priority begins; 0 is at once. */
  position(priority: number): number {
    const ahead = [...this.#waiting].filter((waiting) => waiting.priority >= priority).length;
    return Math.max(0, this.#running + ahead - this.#concurrency + 1);
  }

  /** Takes a place in the line. */
  enter(priority: number): QueuePlace {
    const place = { priority };
    this.#waiting.add(place);
    return { turn: (signal, job) => this.#turn(place, signal, job) };
  }

  /** p-queue's own `signal` gives the turn away while the job still runs, so the wait is cut short here instead. */
  #turn<Result>(
    place: { readonly priority: number },
    signal: AbortSignal,
    job: () => Promise<Result>,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(place);
        reject(signal.reason as Error);
      };
      if (signal.aborted) {
        giveUp();
        return;
      }
      signal.addEventListener("abort", giveUp, { once: true });
      const begin = async () => {
        signal.removeEventListener("abort", giveUp);
        if (!this.#waiting.delete(place)) return;
        this.#running += 1;
        await job().then(resolve, reject);
        this.#running -= 1;
      };
      this.#queue ??= this.#createQueue();
      this.#queue.then((queue) => queue.add(begin, { priority: place.priority })).catch(reject);
    });
  }

  /** Loaded with the first build: importing this package is to cost next to nothing. */
  async #createQueue(): Promise<PQueue> {
    const { default: Queue } = await import("p-queue");
    return new Queue({ concurrency: this.#concurrency });
  }
}

/** A place in the line. */
export interface QueuePlace {
  /** Does the job when its turn comes; rejects with the signal's reason if that fires before. */
  turn<Result>(signal: AbortSignal, job: () => Promise<Result>): Promise<Result>;
}
