import type { BuildEvent, BuildEvents } from "./build-event.ts";
import type { BuildResult, BuildStep } from "./build-result.ts";

type ContextTotals = BuildResult["context"];

const noContext: ContextTotals = { files: 0, sentFiles: 0, totalBytes: 0, sentBytes: 0 };

/** What the events of a build say about it, for its result. */
export class BuildRecord {
  readonly #pods = new Set<string>();
  readonly #steps = new Map<string, BuildStep>();
  readonly #contexts = new Map<string, ContextTotals>();

  add(event: BuildEvent): void {
    switch (event.type) {
      case "pod-phase":
        this.#pods.add(event.pod);
        return;
      case "context-progress":
        this.#contexts.set(event.context, event);
        return;
      case "step-start":
        this.#startStep(event);
        return;
      case "step-end":
        this.#endStep(event);
        return;
      case "build-retry":
        // The steps and contexts so far belong to an attempt that failed; its pods were used all the same.
        this.#steps.clear();
        this.#contexts.clear();
        return;
      default:
    }
  }

  /** The parts of a result that come from events. */
  summary(): Pick<BuildResult, "steps" | "context" | "pods"> {
    const context = [...this.#contexts.values()].reduce(addTotals, noContext);
    return { steps: [...this.#steps.values()], context, pods: [...this.#pods] };
  }

  #startStep({ step, name, platform, timeMs }: BuildEvents["step-start"] & { timeMs: number }): void {
    const described = { id: step, name, ...(platform === undefined ? {} : { platform }) };
    this.#steps.set(step, { ...described, cached: false, startedMs: timeMs, durationMs: 0 });
  }

  #endStep({ step, cached, timeMs }: BuildEvents["step-end"] & { timeMs: number }): void {
    const started = this.#steps.get(step);
    if (started === undefined) return;
    this.#steps.set(step, { ...started, cached, durationMs: Math.max(0, timeMs - started.startedMs) });
  }
}

function addTotals(sum: ContextTotals, next: ContextTotals): ContextTotals {
  return {
    files: sum.files + next.files,
    sentFiles: sum.sentFiles + next.sentFiles,
    totalBytes: sum.totalBytes + next.totalBytes,
    sentBytes: sum.sentBytes + next.sentBytes,
  };
}
