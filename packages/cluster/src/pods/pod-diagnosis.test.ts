import { expect, test } from "vitest";

import type { KubernetesEvent, Pod } from "../rest/kubernetes-object.ts";
import { diagnosePod } from "./pod-diagnosis.ts";
import type { PodFailureCode } from "./pod-diagnosis.ts";

type Status = NonNullable<Pod["status"]>;
type ContainerStatus = NonNullable<Status["containerStatuses"]>[number];

const container = (state: ContainerStatus["state"], lastState: ContainerStatus["lastState"] = {}): ContainerStatus => ({
  name: "main",
  image: "registry.example/builder:1",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...(state ? { state } : {}),
  lastState,
});
const waiting = (reason: string, message = ""): Status => ({
  phase: "Pending",
  containerStatuses: [container({ waiting: { reason, message } })],
});
const ended = (reason: string, exitCode: number, message = ""): Status => ({
  phase: "Failed",
  containerStatuses: [container({ terminated: { reason, exitCode, message } })],
});
const condition = (type: string, status: string, reason: string, message: string): Status => ({
  conditions: [{ type, status, reason, message }],
});
const podWith = (status: Status, metadata: Pod["metadata"] = {}): Pod => ({
  metadata: { name: "p", ...metadata },
  spec: { activeDeadlineSeconds: 60, containers: [{ name: "main", resources: { limits: { memory: "512Mi" } } }] },
  status,
});

// The shapes were recorded on Kubernetes 1.34 with containerd.
const cases: readonly (readonly [
  what: string,
  pod: Pod | undefined,
  code: PodFailureCode,
  final: boolean,
  message: RegExp,
])[] = [
  ["is not there", undefined, "POD_LOST", true, /was deleted/],
  [
    "goes over its memory limit",
    podWith(ended("OOMKilled", 137)),
    "OUT_OF_MEMORY",
    true,
    /memory limit of 512Mi.*Raise the memory limit/,
  ],
  [
    "is evicted for its disk use",
    podWith({ phase: "Failed", reason: "Evicted", message: "Usage of EmptyDir volume exceeds the limit" }),
    "DISK_FULL",
    true,
    /EmptyDir/,
  ],
  [
    "is evicted for the node's memory",
    podWith({ phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." }),
    "POD_LOST",
    true,
    /low on resource/,
  ],
  [
    "is drained",
    podWith(condition("DisruptionTarget", "True", "EvictionByEvictionAPI", "Eviction API: evicting")),
    "POD_LOST",
    true,
    /EvictionByEvictionAPI/,
  ],
  ["is lost with its node", podWith({ phase: "Failed", reason: "NodeLost" }), "POD_LOST", true, /NodeLost/],
  [
    "runs into its deadline",
    podWith({ phase: "Failed", reason: "DeadlineExceeded" }),
    "TIMEOUT",
    true,
    /deadline of 60 s/,
  ],
  [
    "is being deleted",
    podWith({ phase: "Running" }, { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    "POD_LOST",
    true,
    /being deleted/,
  ],
  [
    "crashes",
    podWith(ended("Error", 2, "panic: no config")),
    "POD_LOST",
    true,
    /exit code 2: panic: no config.*kubectl logs p -c main/,
  ],
  [
    "has no such command",
    podWith(ended("StartError", 128, "exec: nope: not found")),
    "INVALID_OPTIONS",
    true,
    /exec: nope/,
  ],
  [
    "crashes again and again",
    podWith({
      containerStatuses: [container({ waiting: { reason: "CrashLoopBackOff" } }, { terminated: { exitCode: 1 } })],
    }),
    "POD_LOST",
    true,
    /exit code 1/,
  ],
  [
    "has no node",
    podWith(condition("PodScheduled", "False", "Unschedulable", "0/2 nodes are available: 2 Insufficient cpu.")),
    "UNSCHEDULABLE",
    false,
    /Insufficient cpu.*add a node/,
  ],
  [
    "has an image that is not there",
    podWith(waiting("ErrImagePull", "manifest unknown: not found")),
    "IMAGE_PULL_FAILED",
    true,
    /registry\.example\/builder:1/,
  ],
  [
    "cannot reach the registry",
    podWith(waiting("ImagePullBackOff", "dial tcp: i/o timeout")),
    "IMAGE_PULL_FAILED",
    false,
    /i\/o timeout/,
  ],
  ["may not pull", podWith(waiting("ErrImageNeverPull")), "IMAGE_PULL_FAILED", true, /ErrImageNeverPull/],
  [
    "names a secret that is not there",
    podWith(waiting("CreateContainerConfigError", 'secret "x" not found')),
    "INVALID_OPTIONS",
    true,
    /secret "x"/,
  ],
];

test.each(cases)("a pod that %s", (_, pod, code, final, message) => {
  const diagnosis = diagnosePod(pod, [], { namespace: "builds", name: "p" });
  expect(diagnosis).toMatchObject({ code, final, message: expect.stringMatching(message) as string });
  expect(diagnosis?.message).toContain("Pod builds/p ");
});

test("carries limit, image and events", () => {
  const options = { namespace: "builds", name: "p" };
  expect(diagnosePod(podWith(ended("OOMKilled", 137)), [], options)?.details).toEqual({
    namespace: "builds",
    pod: "p",
    events: [],
    limit: "512Mi",
  });
  expect(diagnosePod(podWith(waiting("ErrImagePull")), [], options)?.details).toMatchObject({
    image: "registry.example/builder:1",
  });
  const event = {
    type: "Warning",
    reason: "FailedScheduling",
    message: "no nodes",
    count: 3,
    metadata: {},
    involvedObject: {},
  } as KubernetesEvent;
  const diagnosis = diagnosePod(podWith(condition("PodScheduled", "False", "Unschedulable", "x")), [event], options);
  expect(diagnosis?.details).toMatchObject({ events: ["FailedScheduling (x3): no nodes"] });
});

test("a volume that does not come is told by events alone", () => {
  const event = {
    type: "Warning",
    reason: "FailedMount",
    message: 'secret "x" not found',
    metadata: {},
    involvedObject: {},
  } as KubernetesEvent;
  const pod = podWith(waiting("ContainerCreating"));
  expect(diagnosePod(pod, [], { namespace: "builds", name: "p" })).toBeUndefined();
  expect(diagnosePod(pod, [event], { namespace: "builds", name: "p" })).toMatchObject({
    code: "INVALID_OPTIONS",
    final: false,
  });
});

test("a volume that a busy kubelet has not read yet is no problem of the pod", () => {
  const message =
    'MountVolume.SetUp failed for volume "files" : failed to sync secret cache: timed out waiting for the condition';
  const event = {
    type: "Warning",
    reason: "FailedMount",
    message,
    metadata: {},
    involvedObject: {},
  } as KubernetesEvent;
  const pod = podWith(waiting("ContainerCreating"));
  expect(diagnosePod(pod, [event], { namespace: "builds", name: "p" })).toBeUndefined();
});

test("a Secret that was created right after the pod is no problem once it is there, another one is", () => {
  const lacks = (name: string) => {
    const message = `MountVolume.SetUp failed for volume "files" : secret "${name}" not found`;
    return { type: "Warning", reason: "FailedMount", message, metadata: {}, involvedObject: {} } as KubernetesEvent;
  };
  const pod = podWith(waiting("ContainerCreating"));
  const asked = { namespace: "builds", name: "p", createdAlong: ["own"] };
  expect(diagnosePod(pod, [lacks("own")], asked)).toBeUndefined();
  expect(diagnosePod(pod, [lacks("mounted"), lacks("own")], asked)?.message).toMatch(/secret "mounted" not found/);
});

test("a container that runs again counts as lost only for what began before", () => {
  const finishedAt = "2026-01-01T00:00:00Z";
  const last = { terminated: { exitCode: 137, reason: "OOMKilled", finishedAt } };
  const pod = podWith({ phase: "Running", containerStatuses: [container({ running: {} }, last)] });
  const diagnose = (sinceMs?: number) => diagnosePod(pod, [], { namespace: "builds", name: "p", sinceMs });
  expect(diagnose()).toBeUndefined();
  expect(diagnose(Date.parse(finishedAt) - 1000)).toMatchObject({ code: "OUT_OF_MEMORY" });
  expect(diagnose(Date.parse(finishedAt) + 1000)).toBeUndefined();
});

test("nothing is wrong with a pod that runs", () => {
  expect(
    diagnosePod(podWith({ phase: "Running", containerStatuses: [container({ running: {} })] }), [], {
      namespace: "b",
      name: "p",
    }),
  ).toBeUndefined();
});
