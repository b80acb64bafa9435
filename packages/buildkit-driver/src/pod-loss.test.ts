import type { Pod } from "@slipway/cluster";
import { expect, it } from "vitest";

import { podLoss } from "./pod-loss.ts";

const first = "containerd://aaa";
const second = "containerd://bbb";
const oomKilled = { exitCode: 137, reason: "OOMKilled", containerID: first, finishedAt: "2026-11-21T11:44:19Z" };

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

function podWith(
  state: Partial<ContainerStatus>,
  more: { uid?: string; containerID?: string; deletionTimestamp?: string } = {},
): Pod {
  const { uid = "one", containerID = first, ...metadata } = more;
  const container = { name: "buildkitd", image: "", imageID: "", ready: true, restartCount: 0, containerID };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "slipway-0", namespace: "builds", uid, ...metadata },
    spec: { containers: [{ name: "buildkitd", resources: { limits: { memory: "1Gi" } } }] },
    status: { phase: "Running", containerStatuses: [{ ...container, ...state }] },
  };
}

const start = podWith({ state: { running: {} } });

it("finds nothing wrong with the pod that a build began in", () => {
  expect(podLoss(start, start, [])).toBeUndefined();
});

it("knows the container killed for its memory, before and after its restart", () => {
  // The kernel ends all of the container at once on cgroup v2 (memory.oom.group), which the kubelet then shows like this.
  const ended = podWith({ state: { terminated: oomKilled } });
  const restarted = podWith({ state: { running: {} }, lastState: { terminated: oomKilled } }, { containerID: second });
  for (const pod of [ended, restarted])
    expect(podLoss(start, pod, [])).toMatchObject({
      code: "OUT_OF_MEMORY",
      message: expect.stringMatching(/builds\/slipway-0 .*memory limit of 1Gi.*Raise the memory limit/) as string,
      details: { namespace: "builds", pod: "slipway-0", limit: "1Gi" },
    });
});

it("does not blame a build for how a container before it ended", () => {
  const earlier = {
    state: { running: {} },
    lastState: { terminated: { ...oomKilled, containerID: "containerd://000" } },
  };
  expect(podLoss(podWith(earlier), podWith(earlier), [])).toBeUndefined();
});

it("tells a pod that is gone, on its way out, or another one of the same name", () => {
  expect(podLoss(start, undefined, [])).toMatchObject({ code: "POD_LOST" });
  expect(podLoss(start, podWith({ state: { running: {} } }, { uid: "two" }), [])).toMatchObject({ code: "POD_LOST" });
  const leaving = podWith({ state: { running: {} } }, { deletionTimestamp: "2026-11-21T11:44:19Z" });
  expect(podLoss(start, leaving, [])).toMatchObject({
    code: "POD_LOST",
    message: expect.stringContaining("is being deleted") as string,
  });
});
