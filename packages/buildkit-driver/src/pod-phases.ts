import type { Pod } from "@slipway/cluster";
import type { DriverCall, PodPhase } from "@slipway/core";

/** Reports the phases of pods, each once. */
export class PodPhases {
  readonly #emit: DriverCall["emit"];
  readonly #last = new Map<string, PodPhase>();

  constructor(emit: DriverCall["emit"]) {
    this.#emit = emit;
  }

  /** Reports a pod if its phase is another than the last time. */
  report(pod: Pod): void {
    const name = pod.metadata?.name ?? "";
    const phase = podPhase(pod);
    if (this.#last.get(name) === phase) return;
    this.#last.set(name, phase);
    const node = pod.spec?.nodeName;
    this.#emit({ type: "pod-phase", pod: name, phase, ...(node === undefined ? {} : { node }) });
  }
}

/** The phase of a pod as events name it: between scheduled and running a pod pulls its images. */
export function podPhase(pod: Pod): PodPhase {
  if (pod.metadata?.deletionTimestamp !== undefined) return "deleted";
  const { phase, containerStatuses } = pod.status ?? {};
  if (phase === "Succeeded") return "succeeded";
  if (phase === "Failed") return "failed";
  if (phase === "Running") return "running";
  if (pod.spec?.nodeName === undefined) return "pending";
  return containerStatuses === undefined ? "scheduled" : "pulling";
}
