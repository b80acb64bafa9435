import type { StatusUpdate, TransferProgress, Vertex } from "@slipway/buildkit-client";
import type { DriverEvent } from "@slipway/core";

type Emit = (event: DriverEvent) => void;

/** Turns BuildKit's status, in which a vertex comes again and again, into events: one start and one end for each step. */
export class StatusEvents {
  readonly #emit: Emit;
  readonly #open = new Set<string>();
  readonly #ended = new Set<string>();
  #held: StatusUpdate[] | undefined = [];

  /** @param allowed - Until it resolves nothing is reported, and if it rejects, nothing at all: there was no build then. */
  constructor(emit: Emit, allowed: Promise<void>) {
    this.#emit = emit;
    allowed.then(
      () => this.#release(),
      () => undefined,
    );
  }

  /** Reports what an update says. */
  update(update: StatusUpdate): void {
    if (this.#held === undefined) this.#report(update);
    else this.#held.push(update);
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const update of held) this.#report(update);
  }

  #report(update: StatusUpdate): void {
    for (const vertex of update.vertices) this.#vertex(vertex);
    for (const { vertex: step, id, name, current, total, timeMs } of update.progress) {
      if (!this.#open.has(step)) continue;
      const task = name === "" ? id : `${name} ${id}`;
      this.#emit({ type: "step-progress", step, task, current, ...(total === undefined ? {} : { total }), timeMs });
    }
    for (const { vertex: step, stream, text, timeMs } of update.logs)
      this.#emit({ type: "step-log", step, stream, text, timeMs });
    for (const { message, url, file, line } of update.warnings) {
      this.#emit({
        type: "warning",
        message,
        ...(url === undefined ? {} : { url }),
        ...(file === undefined ? {} : { file }),
        ...(line === undefined ? {} : { line }),
      });
    }
  }

  /** Ends the steps that the daemon left open because the build was cut short. */
  end(): void {
    for (const step of this.#open)
      this.#emit({ type: "step-end", step, cached: false, error: "The build ended before this step." });
    this.#open.clear();
  }

  #vertex(vertex: Vertex): void {
    const { digest: step, startedMs, completedMs } = vertex;
    // BuildKit may run a vertex again, for example with other inputs; until it completes anew it is not news.
    if (startedMs !== undefined && !this.#open.has(step) && !this.#ended.has(step)) this.#start(vertex, startedMs);
    if (completedMs === undefined || this.#ended.has(step)) return;
    if (!this.#open.has(step)) this.#start(vertex, completedMs);
    this.#open.delete(step);
    this.#ended.add(step);
    const error = vertex.error === undefined ? {} : { error: vertex.error };
    this.#emit({ type: "step-end", step, cached: vertex.cached, ...error, timeMs: completedMs });
  }

  #start(vertex: Vertex, timeMs: number): void {
    const platform = platformOf(vertex.name);
    this.#open.add(vertex.digest);
    this.#emit({
      type: "step-start",
      step: vertex.digest,
      name: vertex.name,
      ...(platform === undefined ? {} : { platform }),
      timeMs,
    });
  }
}

/** With several platforms BuildKit puts the platform into the name: `[linux/arm64 build 2/5] RUN make`. */
function platformOf(name: string): string | undefined {
  return /^\[((?:linux|windows|darwin|freebsd)\/[a-z0-9]+(?:\/v\d+)?)[ \]]/.exec(name)?.[1];
}

/**
 * The progress of a context. The daemon also fetches the Dockerfile and `.dockerignore`, which it always does anew and which are not
 * what a user calls the context.
 */
export function contextProgress(transfer: TransferProgress): DriverEvent<"context-progress"> | undefined {
  const { name, paths, files, sentFiles, totalBytes, sentBytes } = transfer;
  const isIgnoreFile = paths.length === 1 && paths[0] === ".dockerignore";
  if (name === "dockerfile" || isIgnoreFile) return undefined;
  return { type: "context-progress", context: name, files, sentFiles, totalBytes, sentBytes };
}
