import {
  diagnosePod,
  podError,
  podEvents,
  type Cluster,
  type Deployment,
  type Pod,
  type PodDiagnosis,
} from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

/** How long the kubelet may retry an image whose registry does not answer before that is an error. */
const imagePullGraceMs = 20_000;

/** What decides how long a builder may take to start. */
export interface StartLimits {
  readonly name: string;
  readonly waitedMs: number;
  readonly startTimeoutMs: number;
  readonly unschedulableGraceMs: number;
}

/** Finds out why a builder does not start; undefined while there is hope. */
export async function startProblem(
  cluster: Cluster,
  namespace: string,
  pods: readonly Pod[],
  limits: StartLimits,
  call: { readonly signal: AbortSignal },
): Promise<BuilderError | undefined> {
  for (const pod of pods) {
    const name = pod.metadata?.name ?? "";
    const events = await podEvents(cluster, { namespace, name, uid: pod.metadata?.uid }, call);
    const diagnosis = diagnosePod(pod, events, { namespace, name });
    if (diagnosis !== undefined && isHopeless(diagnosis, limits)) return podError(diagnosis);
  }
  const refused = pods.length > 0 ? undefined : await refusal(cluster, namespace, limits.name, call);
  return refused ?? (limits.waitedMs >= limits.startTimeoutMs ? timeout(namespace, pods, limits) : undefined);
}

/** Whether waiting longer is useless, or has been tried for long enough. */
export function isHopeless(diagnosis: Pick<PodDiagnosis, "code" | "final">, limits: StartLimits): boolean {
  if (diagnosis.final || limits.waitedMs >= limits.startTimeoutMs) return true;
  if (diagnosis.code === "UNSCHEDULABLE") return limits.waitedMs >= limits.unschedulableGraceMs;
  if (diagnosis.code === "IMAGE_PULL_FAILED") return limits.waitedMs >= imagePullGraceMs;
  return false;
}

/** Pod Security, a quota or an admission webhook keep a pod from being made; only the Deployment tells. */
async function refusal(
  cluster: Cluster,
  namespace: string,
  name: string,
  call: { readonly signal: AbortSignal },
): Promise<BuilderError | undefined> {
  const deployment = await cluster.get<Deployment>(
    { apiVersion: "apps/v1", kind: "Deployment", namespace, name },
    call,
  );
  const failure = deployment?.status?.conditions?.find(
    ({ type, status }) => type === "ReplicaFailure" && status === "True",
  );
  if (failure === undefined) return undefined;
  return new BuilderError({
    code: "FORBIDDEN",
    message: `Namespace ${namespace} does not let the builder's pod in: ${failure.message ?? failure.reason ?? "no reason given"}. Use a namespace whose Pod Security level is privileged, try rootless, or raise the quota.`,
    details: { verb: "create", resource: "pods", namespace },
  });
}

function timeout(namespace: string, pods: readonly Pod[], { name, startTimeoutMs }: StartLimits): BuilderError {
  const states = pods.map((pod) => `${pod.metadata?.name ?? ""} is ${pod.status?.phase ?? "unknown"}`).join(", ");
  return new BuilderError({
    code: "TIMEOUT",
    message: `Builder ${namespace}/${name} was not ready within ${startTimeoutMs / 1000} s (${states === "" ? "no pod" : states}). Raise startTimeoutMs, or look at its pods with kubectl describe.`,
    details: { timeoutMs: startTimeoutMs },
  });
}
