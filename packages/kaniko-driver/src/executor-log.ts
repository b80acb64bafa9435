import type { DriverEvent } from "@slipway/core";

/** What the end of a log tells about a failure. */
export interface LogSummary {
  /** Name of the step in which it ended. */
  readonly step?: string;
  /** Whether that step had ended, and the executor looked for what it has changed. */
  readonly isSnapshotting: boolean;
  /** The executor's own last error. */
  readonly error?: string;
  /** What that step itself has printed last. */
  readonly printed?: string;
  readonly tail: string;
}

const tailBytes = 8192;
/** Of what a step prints: its reason to fail is at the end. */
const printedBytes = 1024;
const instruction =
  /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)\s/i;
const prepareStep = "prepare context and base images";
const pushStep = "push";
/** With what an executor begins its last words. */
const finalError = /^error (?:building image|pushing image|checking push permissions|resolving|changing to root dir)\b/;
/** What an executor says before it reads from stdin, beside nothing else. */
const waitingForContext = "To simulate EOF and exit";
/** What its library for flags says, before everything else. */
const flagWarning = "Flag --";

/** How an executor writes its own lines: as JSON if it can, else as coloured text. */
export type LogFormat = "json" | "color";

/**
 * Reads the log of an executor: steps begin where it names an instruction, everything between is the log of the step under way. What a `RUN` prints is
 * plain text between the executor's own lines.
 */
export class ExecutorLog {
  readonly #emit: (event: DriverEvent) => void;
  readonly #parseOwnLine: (text: string) => OwnLine | undefined;
  readonly #cached = new Set<string>();
  /** Tags in the cache repository. Their pushes run beside the steps that follow, and say the same as the push of the image. */
  readonly #cacheTags = new Set<string>();
  #count = 0;
  #open: { readonly id: string; readonly name: string; cached: boolean } | undefined;
  #isSnapshotting = false;
  #error: string | undefined;
  #tail = "";
  #printed = "";
  #hasContext = false;

  constructor(emit: (event: DriverEvent) => void, format: LogFormat = "json") {
    this.#emit = emit;
    this.#parseOwnLine = format === "json" ? parseJsonLine : parseColoredLine;
  }

  /** Whether the executor has gone on from waiting for its context. */
  get hasContext(): boolean {
    return this.#hasContext;
  }

  /** Takes one line; `timeMs` is when the node received it. */
  line(text: string, timeMs: number): void {
    const own = this.#parseOwnLine(text);
    if (own === undefined) {
      if (!text.startsWith(flagWarning)) this.#hasContext = true;
      this.#say(text, "stdout", timeMs);
      this.#printed = `${this.#printed}${text}\n`.slice(-printedBytes);
      return;
    }
    if (!own.message.startsWith(waitingForContext)) this.#hasContext = true;
    if (own.level === "warning") this.#emit({ type: "warning", message: own.message, timeMs });
    this.#follow(own.message, timeMs);
  }

  /** Ends the step under way, as failed if the executor has failed. */
  end(isFailed: boolean): LogSummary {
    const step = this.#open?.name;
    this.#close(isFailed ? (this.#error ?? "failed") : undefined);
    return {
      ...(step === undefined ? {} : { step }),
      isSnapshotting: this.#isSnapshotting,
      ...(this.#error === undefined ? {} : { error: this.#error }),
      ...(this.#printed === "" ? {} : { printed: this.#printed }),
      tail: this.#tail,
    };
  }

  #follow(message: string, timeMs: number): void {
    const [, cachedCommand] = /^Using caching version of cmd: (.*)$/s.exec(message) ?? [];
    if (cachedCommand !== undefined) this.#cached.add(cachedCommand);
    if (message.startsWith("Building stage ")) this.#cached.clear();
    if (message.startsWith("Taking snapshot ")) this.#isSnapshotting = true;
    const [, layer] = /^Pushing layer (\S+) to cache now$/.exec(message) ?? [];
    if (layer !== undefined) this.#cacheTags.add(tagOf(layer));
    const [, image] = /^Pushing image to (\S+)$/.exec(message) ?? [];
    const isPush = image !== undefined && !this.#cacheTags.has(tagOf(image));
    if (instruction.test(message)) this.#start(message, timeMs);
    else if (isPush && this.#open?.name !== pushStep) this.#start(pushStep, timeMs);
    else this.#say(message, "stderr", timeMs);
  }

  #start(name: string, timeMs: number): void {
    this.#close(undefined, timeMs);
    this.#isSnapshotting = false;
    this.#printed = "";
    this.#count += 1;
    this.#open = { id: String(this.#count), name, cached: this.#cached.has(name) };
    this.#emit({ type: "step-start", step: this.#open.id, name, timeMs });
  }

  #say(text: string, stream: "stdout" | "stderr", timeMs: number): void {
    if (this.#open === undefined) this.#start(prepareStep, timeMs);
    const error = this.#ownError(text);
    if (error !== undefined) this.#error = error;
    this.#tail = `${this.#tail}${text}\n`.slice(-tailBytes);
    this.#emit({ type: "step-log", step: this.#open?.id ?? "", stream, text: `${text}\n`, timeMs });
  }

  /** Steps print errors as well, and go on: only before them is every `Error:` one of the executor. */
  #ownError(text: string): string | undefined {
    const isEarly = this.#open?.name === prepareStep;
    if (isEarly && text.startsWith("Error: ")) return text.slice("Error: ".length);
    return finalError.test(text) ? text : undefined;
  }

  #close(error: string | undefined, timeMs?: number): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#emit({
      ...{ type: "step-end", step: open.id, cached: open.cached },
      ...(error === undefined ? {} : { error }),
      ...(timeMs === undefined ? {} : { timeMs }),
    });
  }
}

/** The executor writes one registry in more than one way, a tag always alike. */
function tagOf(image: string): string {
  return image.slice(image.lastIndexOf(":") + 1);
}

interface OwnLine {
  readonly level: string;
  readonly message: string;
}

function parseJsonLine(text: string): OwnLine | undefined {
  if (!text.startsWith('{"level":')) return undefined;
  try {
    const { level, msg } = JSON.parse(text) as { readonly level?: unknown; readonly msg?: unknown };
    return typeof level === "string" && typeof msg === "string" ? { level, message: msg } : undefined;
  } catch {
    return undefined;
  }
}

/** The level in colour, the seconds since the start, and the message, filled up with spaces. */
function parseColoredLine(text: string): OwnLine | undefined {
  const [, level, message] = /^\u001b\[\d+m([A-Z]{4})\u001b\[0m\[\d+\] (.*)$/s.exec(text) ?? [];
  if (level === undefined || message === undefined) return undefined;
  return { level: level === "WARN" ? "warning" : level.toLowerCase(), message: message.trimEnd() };
}
