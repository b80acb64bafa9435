import { expect, test } from "vitest";

import { workspacePod, type WorkspacePodOptions } from "./workspace-pod.ts";

const options: WorkspacePodOptions = {
  name: "workspace",
  namespace: "builds",
  image: "busybox",
  volume: { type: "emptyDir" },
  lifetimeSeconds: 3600,
  idleSeconds: 60,
};

test("a pod has an end, labels of its own, and no access to the cluster", () => {
  const labels = { team: "a", "slipway.dev/workspace": "another" };
  const pod = workspacePod({ ...options, labels });
  expect(pod.metadata?.labels).toEqual({
    team: "a",
    "app.kubernetes.io/managed-by": "slipway",
    "slipway.dev/workspace": "workspace",
  });
  expect(pod.spec).toMatchObject({
    activeDeadlineSeconds: 3600,
    automountServiceAccountToken: false,
    restartPolicy: "Never",
  });
  expect(pod.spec?.containers[0]?.command?.at(-1)).toBe("60");
});

test("a pod goes with its owner", () => {
  const owner = { apiVersion: "batch/v1", kind: "Job", name: "build", uid: "1" };
  expect(workspacePod({ ...options, owner }).metadata?.ownerReferences).toEqual([owner]);
  expect(workspacePod(options).metadata?.ownerReferences).toBeUndefined();
});

test.each([
  [{ type: "emptyDir" }, { emptyDir: {} }],
  [{ type: "emptyDir", sizeLimit: "1Gi", medium: "Memory" }, { emptyDir: { sizeLimit: "1Gi", medium: "Memory" } }],
  [{ type: "claim", claimName: "contexts" }, { persistentVolumeClaim: { claimName: "contexts" } }],
] as const)("contexts are kept on %o", (volume, source) => {
  expect(workspacePod({ ...options, volume }).spec?.volumes).toEqual([{ name: "workspace", ...source }]);
});
