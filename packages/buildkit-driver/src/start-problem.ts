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
    if (diagnosis !== undefined && isHopeless(diagnosis, limits)) return podError(withGrace(diagnosis));
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

/** Where nodes come when they are needed, time is the remedy. */
function withGrace(diagnosis: PodDiagnosis): PodDiagnosis {
  if (diagnosis.code !== "UNSCHEDULABLE") return diagnosis;
  return { ...diagnosis, message: `${diagnosis.message} If an autoscaler adds one, raise unschedulableGraceMs.` };
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
  if (deployment === undefined) return removed(namespace, name);
  if (failure === undefined) return undefined;
  const reason = (failure.message ?? failure.reason ?? "no reason given").replace(/\.+$/, "");
  return new BuilderError({
    code: "FORBIDDEN",
    message: `Namespace ${namespace} does not let the builder's pod in: ${reason}. ${refusalRemedy(reason)}`,
    details: { verb: "create", resource: "pods", namespace },
  });
}

function refusalRemedy(reason: string): string {
  if (reason.includes("PodSecurity")) return "Use a namespace whose Pod Security level is privileged.";
  if (reason.includes("exceeded quota")) return "Raise the quota of the namespace, or lower the builder's resources.";
  return "Change what refuses it, or set what it asks for by podTemplate.";
}

/** Another process removed the builder, or failed to start it and took it back: a new attempt makes it again. */
function removed(namespace: string, name: string): BuilderError {
  return new BuilderError({
    code: "POD_LOST",
    message: `Builder ${namespace}/${name} was removed while a build waited for it. Build again; a builder that is needed is started anew.`,
    details: { namespace, events: [] },
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
