import type { KubernetesEvent, Pod } from "../rest/kubernetes-object.ts";
import { describeTermination } from "./pod-death.ts";
import type { PodFinding } from "./pod-diagnosis.ts";

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

const imageReasons = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);
const hopelessImageReasons = new Set(["InvalidImageName", "ErrImageNeverPull"]);
/** In the words of registries and of containerd; anything else may be a network that comes back. */
const hopelessImageMessage =
  /not found|manifest unknown|name unknown|unauthorized|denied|forbidden|no match for platform|invalid reference/i;
const configReasons = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "PreCreateHookError",
  "PostStartHookError",
]);

function imagePull({ name, image }: ContainerStatus, reason: string, message: string): PodFinding {
  return {
    code: "IMAGE_PULL_FAILED",
    what: `cannot pull the image ${image} of container "${name}" (${reason})${message ? `: ${message}` : ""}`,
    remedy:
      "Check the name of the image, that its registry can be reached from the nodes, and the pull secret of the pod.",
    final: hopelessImageReasons.has(reason) || hopelessImageMessage.test(message),
    image,
  };
}

function waitingContainer(pod: Pod): PodFinding | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const { reason = "", message = "" } = status.state?.waiting ?? {};
    if (imageReasons.has(reason)) return imagePull(status, reason, message);
    if (configReasons.has(reason)) {
      const what = `cannot create container "${status.name}" (${reason})${message ? `: ${message}` : ""}`;
      return {
        code: "INVALID_OPTIONS",
        what,
        remedy: "Create what it names, or correct the options of the builder.",
        final: true,
      };
    }
    if (reason === "CrashLoopBackOff" && status.lastState?.terminated)
      return describeTermination(pod, status.name, status.lastState.terminated);
  }
  return undefined;
}

/** A kubelet that is busy has not asked for a Secret or ConfigMap yet, and does so again by itself. */
const notReadYet = /failed to sync (secret|configmap) cache/i;

function volumeProblem(events: readonly KubernetesEvent[], createdAlong: readonly string[]): PodFinding | undefined {
  const isPast = (message: string): boolean => createdAlong.some((name) => message.includes(`"${name}"`));
  const event = events.findLast(
    ({ reason = "", message = "" }) =>
      /^(FailedMount|FailedAttachVolume|FailedMapVolume)$/.test(reason) &&
      !notReadYet.test(message) &&
      !isPast(message),
  );
  if (!event) return undefined;
  const { reason = "", message = "" } = event;
  const isMissing = /(secret|configmap|persistentvolumeclaim)s? .*not found/i.test(message);
  return {
    code: isMissing ? "INVALID_OPTIONS" : "UNSCHEDULABLE",
    what: `waits for a volume (${reason}): ${message.trim()}`,
    remedy: "Create what the volume names, or correct the options of the builder.",
    final: false,
  };
}

function sandboxProblem(events: readonly KubernetesEvent[]): PodFinding | undefined {
  const event = events.findLast(({ reason }) => reason === "FailedCreatePodSandBox");
  if (!event) return undefined;
  const what = `cannot be set up on its node: ${(event.message ?? "").trim()}`;
  return {
    code: "UNSCHEDULABLE",
    what,
    remedy: "Look at the network plugin and the runtime of the node.",
    final: false,
  };
}

/** What a pod that has not started waits for. */
export function diagnoseWait(
  pod: Pod,
  events: readonly KubernetesEvent[],
  createdAlong: readonly string[] = [],
): PodFinding | undefined {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return {
      code: "UNSCHEDULABLE",
      what: `has no node that it could run on: ${(scheduled.message ?? "").trim()}`,
      remedy: "Lower its requests, correct node selector, tolerations or volume, or add a node.",
      final: false,
    };
  }
  const waiting = waitingContainer(pod);
  if (waiting) return waiting;
  const isCreating =
    pod.status?.containerStatuses?.some(({ state }) => state?.waiting !== undefined) ?? pod.status?.phase === "Pending";
  return isCreating ? (volumeProblem(events, createdAlong) ?? sandboxProblem(events)) : undefined;
}
