import { expect, test } from "vitest";

import { claimOf, hasOwnClaim, workspaceClaim, workspaceJob, type WorkspaceJobOptions } from "./workspace-job.ts";

const options: WorkspaceJobOptions = {
  name: "workspace",
  namespace: "builds",
  image: "busybox",
  volume: { type: "emptyDir" },
  claimName: "workspace-1",
  lifetimeSeconds: 3600,
  idleSeconds: 60,
  nowMs: 1_000_000,
};

const podOf = (job: ReturnType<typeof workspaceJob>) => job.spec?.template.spec;

test("a workspace has an end, labels of its own, and no access to the cluster", () => {
  const labels = { team: "a", "slipway.dev/workspace": "another", "slipway.dev/expires-at": "never" };
  const job = workspaceJob({ ...options, labels });
  const own = {
    team: "a",
    "app.kubernetes.io/managed-by": "slipway",
    "slipway.dev/workspace": "workspace",
    "slipway.dev/expires-at": "4600",
  };
  expect(job.metadata?.labels).toEqual(own);
  expect(job.spec?.template.metadata?.labels).toEqual(own);
  expect(job.spec).toMatchObject({ activeDeadlineSeconds: 3600, ttlSecondsAfterFinished: 5 });
  expect(podOf(job)).toMatchObject({ automountServiceAccountToken: false, restartPolicy: "Never" });
  expect(podOf(job)?.containers[0]?.command?.at(-1)).toBe("60");
});

test("a pod that was disrupted is made again, whatever the count", () => {
  expect(workspaceJob(options).spec?.podFailurePolicy?.rules).toEqual([
    { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
  ]);
});

test("a workspace goes with its owner", () => {
  const owner = { apiVersion: "batch/v1", kind: "Job", name: "build", uid: "1" };
  expect(workspaceJob({ ...options, owner }).metadata?.ownerReferences).toEqual([owner]);
  expect(workspaceJob(options).metadata?.ownerReferences).toBeUndefined();
});

test.each([
  [{ type: "emptyDir" }, { emptyDir: {} }, undefined],
  [
    { type: "emptyDir", sizeLimit: "1Gi", medium: "Memory" },
    { emptyDir: { sizeLimit: "1Gi", medium: "Memory" } },
    undefined,
  ],
  [{ type: "claim", claimName: "contexts" }, { persistentVolumeClaim: { claimName: "contexts" } }, "contexts"],
  [{ type: "claim-template", size: "1Gi" }, { persistentVolumeClaim: { claimName: "workspace-1" } }, "workspace-1"],
] as const)("contexts are kept on %o", (volume, source, claimName) => {
  const job = workspaceJob({ ...options, volume });
  expect(podOf(job)?.volumes).toEqual([{ name: "workspace", ...source }]);
  expect(claimOf(job)).toBe(claimName);
  expect(hasOwnClaim(job)).toBe(volume.type === "claim-template");
});

test("a workspace whose client dies before its claim is there ends with its lifetime, too", () => {
  const job = workspaceJob({ ...options, volume: { type: "claim-template", size: "1Gi" } });
  // The lifetime of a suspended Job does not run.
  expect(job.spec?.suspend).toBeUndefined();
  expect(job.spec?.activeDeadlineSeconds).toBe(options.lifetimeSeconds);
});

test("a claim that is made for a workspace goes with it", () => {
  const volume = { type: "claim-template", size: "1Gi", storageClass: "fast" } as const;
  const job = workspaceJob({ ...options, volume });
  const claim = workspaceClaim({ ...job, metadata: { ...job.metadata, uid: "u" } }, volume);
  expect(claim.metadata).toMatchObject({ name: "workspace-1", labels: job.metadata?.labels });
  expect(claim.metadata?.ownerReferences).toMatchObject([{ kind: "Job", name: "workspace", uid: "u" }]);
  expect(claim.spec).toEqual({
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "1Gi" } },
    storageClassName: "fast",
  });
});

test("the pod is merged with the podTemplate last, and keeps its labels", () => {
  const podTemplate = {
    metadata: { labels: { "slipway.dev/workspace": "x", a: "b" } },
    spec: { nodeSelector: { disk: "ssd" } },
  };
  const job = workspaceJob({ ...options, podTemplate });
  expect(job.spec?.template.metadata?.labels).toMatchObject({ a: "b", "slipway.dev/workspace": "workspace" });
  expect(podOf(job)?.nodeSelector).toEqual({ disk: "ssd" });
});
