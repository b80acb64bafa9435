import type { BuildEvent, BuildEvents, DriverEvent } from "./build-event.ts";
import { BuildRecord } from "./build-record.ts";
import { describeThrown } from "./redaction.ts";
import { EventBuffer } from "./event-buffer.ts";
import type { Logger } from "./logger.ts";
import { ProgressMerger } from "./progress-merger.ts";
import { withoutUndefined } from "./without-undefined.ts";

type CoreEventType = "build-queue" | "build-start" | "build-skip" | "build-retry" | "build-end";

/** Every event of one build on its way: from the driver and from core, to the record, the run's reader and the builder's listener. */
export class EventJournal {
  readonly record = new BuildRecord();
  readonly buffer = new EventBuffer();
  readonly #buildId: string;
  readonly #logger: Logger;
  readonly #listener: ((event: BuildEvent) => void) | undefined;
  readonly #merger = new ProgressMerger((event) => this.#deliver(event as BuildEvent));
  readonly #warnings = new Set<string>();
  #ended = false;

  constructor(buildId: string, logger: Logger, listener: ((event: BuildEvent) => void) | undefined) {
    this.#buildId = buildId;
    this.#logger = logger;
    this.#listener = listener;
  }

  /** What a driver gets as `emit`. What comes after the end of the build is dropped, and so is what is no event of a driver. */
  readonly emit = (event: DriverEvent): void => {
    if (this.#ended) return;
    if (!isDriverEvent(event)) {
      this.#logger.warn("A driver reported something that is not an event of a driver", { event });
      return;
    }
    if (event.type === "warning" && this.#hasWarned(event)) return;
    this.#merger.add(stamped(event, this.#buildId));
  };

  /** Each attempt, and each platform, warns of what it finds: what holds for the build is said once. */
  #hasWarned({ message, url, file, line }: DriverEvent<"warning">): boolean {
    const warning = JSON.stringify([message, url, file, line]);
    if (this.#warnings.has(warning)) return true;
    this.#warnings.add(warning);
    return false;
  }

  /** An event that core makes itself. */
  publish<Type extends CoreEventType>(type: Type, body: BuildEvents[Type]): void {
    if (this.#ended) return;
    this.#merger.flush();
    if (type === "build-end") this.#ended = true;
    this.#deliver({ type, timeMs: Date.now(), buildId: this.#buildId, ...body } as BuildEvent);
    if (this.#ended) this.buffer.end();
  }

  /** Lets out progress that is held back. */
  flush(): void {
    this.#merger.flush();
  }

  #deliver(event: BuildEvent): void {
    this.record.add(event);
    this.buffer.push(event);
    try {
      this.#listener?.(event);
    } catch (error) {
      this.#logger.error(`onEvent has thrown: ${describeThrown(error)}`, { event: event.type });
    }
  }
}

const driverEventTypes: Readonly<Record<DriverEvent["type"], true>> = {
  "context-progress": true,
  "pod-phase": true,
  "step-start": true,
  "step-progress": true,
  "step-log": true,
  "step-end": true,
  "push-progress": true,
  warning: true,
  "build-retry": true,
};

function isDriverEvent(event: unknown): event is DriverEvent {
  if (typeof event !== "object" || event === null) return false;
  return Object.hasOwn(driverEventTypes, String((event as { type?: unknown }).type));
}

/** With its time and its build, and without keys that JSON would drop. */
export function stamped(event: DriverEvent, buildId?: string): DriverEvent {
  const { timeMs = Date.now() } = event;
  const copy: DriverEvent =
    buildId === undefined ? { ...event, timeMs } : Object.assign({ ...event, timeMs }, { buildId });
  return Object.values(copy).includes(undefined) ? withoutUndefined<DriverEvent>(copy) : copy;
}
