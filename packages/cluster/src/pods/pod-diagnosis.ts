import { BuilderError } from "@slipway/core";
import type { BuilderErrorDetails } from "@slipway/core";

import type { KubernetesEvent, Pod } from "../rest/kubernetes-object.ts";
import { diagnoseDeath } from "./pod-death.ts";
import { describeEvents } from "./pod-events.ts";
import { diagnoseWait } from "./pod-wait.ts";

/** The codes that a pod can be the reason of. */
export type PodFailureCode =
  "OUT_OF_MEMORY" | "DISK_FULL" | "UNSCHEDULABLE" | "IMAGE_PULL_FAILED" | "POD_LOST" | "INVALID_OPTIONS" | "TIMEOUT";

/** Why a pod does not run. */
export type PodDiagnosis = {
  [Code in PodFailureCode]: {
    readonly code: Code;
    /** What happened, to which pod, and what to do. */
    readonly message: string;
    readonly details: Readonly<BuilderErrorDetails[Code]>;
    /** Whether waiting longer is useless. If not, it may still pull the image, or get a node. */
    readonly final: boolean;
  };
}[PodFailureCode];

/** What one of the checks found, before the pod and its events are added. */
export interface PodFinding {
  readonly code: PodFailureCode;
  readonly what: string;
  readonly remedy: string;
  readonly final: boolean;
  readonly image?: string;
  readonly limit?: string | undefined;
  readonly timeoutMs?: number;
}

/** Which pod, and from when on its past counts. */
export interface DiagnosePodOptions {
  readonly namespace: string;
  readonly name: string;
  /**
   * A container that ended and was started again counts only if it ended after this, in epoch milliseconds.
   *
   * @defaultValue never: what runs now is fine
   */
  readonly sinceMs?: number | undefined;
  /**
   * Names of Secrets that were created right after the pod, and are there: events stay that tell of a volume that lacked one.
   *
   * @defaultValue none
   */
  readonly createdAlong?: readonly string[] | undefined;
}

/** The last event, unless it repeats what has been said. */
function lastEvent(events: readonly string[], what: string): string | undefined {
  const last = events.at(-1)?.replace(/[.:]+$/, "");
  const told = last?.replace(/^[^:]+: (Error: )?/, "");
  return told === undefined || what.includes(told) ? undefined : last;
}

function complete(finding: PodFinding, options: DiagnosePodOptions, events: readonly string[]): PodDiagnosis {
  const { code, remedy, final } = finding;
  const what = finding.what.replace(/\.+$/, "");
  const { namespace, name } = options;
  const last = lastEvent(events, what);
  const message = `Pod ${namespace}/${name} ${what}.${last === undefined ? "" : ` Last event: ${last}.`} ${remedy}`;
  const base = { namespace, pod: name, events };
  if (code === "OUT_OF_MEMORY") {
    return { code, message, final, details: finding.limit === undefined ? base : { ...base, limit: finding.limit } };
  }
  if (code === "IMAGE_PULL_FAILED") return { code, message, final, details: { ...base, image: finding.image ?? "" } };
  if (code === "TIMEOUT") return { code, message, final, details: { timeoutMs: finding.timeoutMs ?? 0 } };
  if (code === "INVALID_OPTIONS")
    return { code, message, final, details: { issues: [{ path: "podTemplate", message: what }] } };
  return { code, message, final, details: base };
}

/**
 * Tells why a pod is not ready, or why it died, from its status and events.
 *
 * @param pod - as the API server has it, `undefined` if it has none
 * @param events - of the pod, in any order
 * @returns `undefined` if nothing is wrong, as far as can be seen
 */
export function diagnosePod(
  pod: Pod | undefined,
  events: readonly KubernetesEvent[],
  options: DiagnosePodOptions,
): PodDiagnosis | undefined {
  const finding = diagnoseDeath(pod, options.sinceMs) ?? (pod && diagnoseWait(pod, events, options.createdAlong));
  return finding && complete(finding, options, describeEvents(events));
}

/** The error that a diagnosis stands for. */
export function podError(diagnosis: PodDiagnosis, cause?: unknown): BuilderError {
  const { code, message, details } = diagnosis;
  return new BuilderError({ code, message, details, ...(cause === undefined ? {} : { cause }) });
}
