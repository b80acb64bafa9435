import type { Pod } from "../rest/kubernetes-object.ts";
import type { PodFinding } from "./pod-diagnosis.ts";

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

const tryAgain = "Build again; a builder that is needed is started anew.";

function memoryLimit(pod: Pod, container: string): string | undefined {
  const spec = pod.spec;
  const found = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(({ name }) => name === container);
  return found?.resources?.limits?.memory ?? spec?.resources?.limits?.memory;
}

/** How a container ended, as the reason of its pod's failure. */
export function describeTermination(pod: Pod, container: string, ended: Terminated): PodFinding {
  const { exitCode, reason = "Error", message = "", signal } = ended;
  if (reason === "OOMKilled") {
    const limit = memoryLimit(pod, container);
    const text = limit === undefined ? "the node had no memory left" : `it went over its memory limit of ${limit}`;
    return {
      code: "OUT_OF_MEMORY",
      what: `lost container "${container}": ${text} (OOMKilled)`,
      remedy: "Raise the memory limit of the builder, or run fewer builds at a time.",
      final: true,
      limit,
    };
  }
  if (reason === "StartError" || reason === "ContainerCannotRun") {
    return {
      code: "INVALID_OPTIONS",
      what: `could not start container "${container}": ${message.trim() || reason}`,
      remedy: "Correct its image, command or security context.",
      final: true,
    };
  }
  const how = signal ? `signal ${signal}` : `exit code ${exitCode}`;
  const said = message.trim() ? `: ${message.trim().slice(-500)}` : "";
  return {
    code: "POD_LOST",
    what: `lost container "${container}": ${reason}, ${how}${said}`,
    remedy: `Read its log: kubectl logs ${pod.metadata?.name ?? "POD"} -c ${container} --previous.`,
    final: true,
  };
}

function evicted(reason: string, message: string): PodFinding {
  const isDisk = /ephemeral[- ]storage|emptyDir|DiskPressure|usage of .* exceeds|inodes/i.test(message);
  const what = `was evicted (${reason})${message ? `: ${message.trim().replace(/\.$/, "")}` : ""}`;
  if (isDisk) {
    return {
      code: "DISK_FULL",
      what,
      remedy: "Raise the storage of the builder (volume size, ephemeral-storage limit), or prune its cache.",
      final: true,
    };
  }
  return {
    code: "POD_LOST",
    what,
    remedy: `${tryAgain} If the node lacks memory, give the builder requests that match its use.`,
    final: true,
  };
}

const lostReasons =
  /^(NodeLost|NodeShutdown|Terminated|Shutdown|Preempting|UnexpectedAdmissionError|NodeAffinity|OutOf\w+|TopologyAffinityError)$/;

function podReason(pod: Pod): PodFinding | undefined {
  const { reason = "", message = "", conditions } = pod.status ?? {};
  if (reason === "Evicted") return evicted(reason, message);
  if (reason === "DeadlineExceeded") {
    const seconds = pod.spec?.activeDeadlineSeconds ?? 0;
    return {
      code: "TIMEOUT",
      what: `ran longer than its deadline of ${seconds} s`,
      remedy: "Raise timeoutMs.",
      final: true,
      timeoutMs: seconds * 1000,
    };
  }
  if (lostReasons.test(reason)) {
    return {
      code: "POD_LOST",
      what: `was lost (${reason})${message ? `: ${message}` : ""}`,
      remedy: tryAgain,
      final: true,
    };
  }
  const disruption = conditions?.find(({ type, status }) => type === "DisruptionTarget" && status === "True");
  if (!disruption) return undefined;
  return evicted(disruption.reason ?? "DisruptionTarget", disruption.message ?? "");
}

function endedContainer(pod: Pod, sinceMs: number | undefined): PodFinding | undefined {
  const { containerStatuses = [], initContainerStatuses = [], phase } = pod.status ?? {};
  let found: PodFinding | undefined;
  for (const { name, state, lastState } of [...initContainerStatuses, ...containerStatuses]) {
    const isRecent = sinceMs !== undefined && Date.parse(lastState?.terminated?.finishedAt ?? "") >= sinceMs;
    const ended = state?.terminated ?? (isRecent ? lastState?.terminated : undefined);
    if (!ended || (ended.exitCode === 0 && phase !== "Succeeded" && state?.terminated)) continue;
    const finding = describeTermination(pod, name, ended);
    // A container that was killed for its memory takes the others down: it is the reason, they are not.
    if (!found || finding.code === "OUT_OF_MEMORY") found = finding;
  }
  return found;
}

/** Why a pod ended, or is about to. */
export function diagnoseDeath(pod: Pod | undefined, sinceMs: number | undefined): PodFinding | undefined {
  if (!pod) return { code: "POD_LOST", what: "was deleted", remedy: tryAgain, final: true };
  const finding = podReason(pod);
  if (finding) return finding;
  const ended = endedContainer(pod, sinceMs);
  if (ended?.code === "OUT_OF_MEMORY") return ended;
  if (pod.metadata?.deletionTimestamp !== undefined) {
    return { code: "POD_LOST", what: "is being deleted", remedy: tryAgain, final: true };
  }
  if (ended) return ended;
  const { phase, message } = pod.status ?? {};
  if (phase !== "Failed") return undefined;
  return { code: "POD_LOST", what: `failed${message ? `: ${message}` : ""}`, remedy: tryAgain, final: true };
}
