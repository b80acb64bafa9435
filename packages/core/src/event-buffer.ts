import type { BuildEvent } from "./build-event.ts";

/** Beyond either, progress and logs give way; the other events of a build are few. */
export interface EventBufferLimits {
  readonly events: number;
  /** Characters of log text. */
  readonly logCharacters: number;
}

const defaultLimits: EventBufferLimits = { events: 5_000, logCharacters: 4_194_304 };

/** The events of a run that nobody has read yet: bounded, whether nobody iterates or somebody does so slowly. */
export class EventBuffer {
  readonly #limits: EventBufferLimits;
  #events: BuildEvent[] = [];
  #head = 0;
  #logCharacters = 0;
  #warned = false;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(limits: EventBufferLimits = defaultLimits) {
    this.#limits = limits;
  }

  /** Takes an event; never waits. */
  push(event: BuildEvent): void {
    this.#events.push(event);
    this.#logCharacters += logCharacters(event);
    const size = this.#events.length - this.#head;
    if (size > this.#limits.events || this.#logCharacters > this.#limits.logCharacters) this.#makeRoom();
    this.#wakeReaders();
  }

  /** No event comes any more. */
  end(): void {
    this.#ended = true;
    this.#wakeReaders();
  }

  /** The next event; undefined when there is none and none will come. */
  async shift(): Promise<BuildEvent | undefined> {
    for (;;) {
      const event = this.#take();
      if (event !== undefined || this.#ended) return event;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #take(): BuildEvent | undefined {
    const event = this.#events[this.#head];
    if (event === undefined) return undefined;
    this.#head += 1;
    this.#logCharacters -= logCharacters(event);
    if (this.#head >= 1024 || this.#head === this.#events.length) {
      this.#events = this.#events.slice(this.#head);
      this.#head = 0;
    }
    return event;
  }

  /** Drops the older half of what may go, so that the cost per event stays constant and the latest logs stay. */
  #makeRoom(): void {
    const waiting = this.#events.slice(this.#head);
    const droppable = waiting.filter(mayGo).length;
    if (droppable === 0) return;
    const first = waiting.findIndex(mayGo);
    let toDrop = Math.ceil(droppable / 2);
    const kept = waiting.filter((event) => !mayGo(event) || toDrop-- <= 0);
    if (!this.#warned) kept.splice(first, 0, gapWarning(waiting[first] as BuildEvent));
    this.#warned = true;
    this.#events = kept;
    this.#head = 0;
    this.#logCharacters = kept.reduce((sum, event) => sum + logCharacters(event), 0);
  }

  #wakeReaders(): void {
    const waiting = this.#wake;
    if (waiting.length === 0) return;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}

function mayGo(event: BuildEvent): boolean {
  return event.type === "step-log" || event.type.endsWith("-progress");
}

function logCharacters(event: BuildEvent): number {
  return event.type === "step-log" ? event.text.length : 0;
}

function gapWarning({ timeMs, buildId }: BuildEvent): BuildEvent {
  const message =
    "Logs and progress from here on were dropped in part, because nobody read the events of this build in time.";
  return { type: "warning", timeMs, buildId, message };
}
