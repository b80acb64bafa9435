import type { Cluster, Job, KubernetesObject } from "@slipway/cluster";
import { BuilderError, type DriverEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { createBuild, removeBuild, removeOrTell, type RemovingCluster } from "./build-objects.ts";
import { buildJob } from "./build-pod.ts";
import { resolveKanikoDriverOptions } from "./kaniko-options.ts";

it("makes no Job whose deadline does not run, and nothing after the Secret that it owns", async () => {
  const created: KubernetesObject[] = [];
  const cluster: Pick<Cluster, "create"> = {
    create: (object) => {
      created.push(object);
      return Promise.resolve({ ...object, metadata: { ...object.metadata, uid: "u" } });
    },
  };
  const files = { dockerConfig: '{"auths":{}}', files: {} };
  const job = buildJob({
    ...{ namespace: "builds", name: "build-1", request: { id: "1", platforms: [] }, arguments: [], files },
    ...{ options: resolveKanikoDriverOptions({}), withHelper: false, deadlineMs: 60_000, nowMs: 0 },
  });
  await createBuild(cluster, job, files, { signal: AbortSignal.timeout(1000) });
  expect(created).toMatchObject([
    { kind: "Job", spec: { activeDeadlineSeconds: 60 } },
    { kind: "Secret", metadata: { name: "build-1", ownerReferences: [{ kind: "Job", name: "build-1", uid: "u" }] } },
  ]);
  // The deadline of a suspended Job does not run, nor does what removes it.
  expect((created[0] as Job).spec?.suspend).toBeUndefined();
});

const away = new BuilderError({ code: "CLUSTER_UNREACHABLE", message: "No answer.", details: { server: "s" } });

it("tells what of a build could not be removed, in the place of nothing that the build has to say", async () => {
  const cluster: RemovingCluster = {
    namespace: "builds",
    delete: () => Promise.reject(away),
    list: () => Promise.reject(away),
    waitFor: () => Promise.reject(away),
  };
  const events: DriverEvent[] = [];
  await removeOrTell(cluster, "build-1", { emit: (event) => void events.push(event) });
  expect(events).toEqual([
    {
      type: "warning",
      message:
        "What this build has made, Job builds/build-1, could not be removed (CLUSTER_UNREACHABLE: No answer.) The cluster removes it, at its deadline at the latest.",
    },
  ]);
  await expect(removeBuild(cluster, "build-1")).rejects.toBe(away);
});
