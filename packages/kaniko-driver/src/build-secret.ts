import type { Job, Secret } from "@slipway/cluster";

import { dockerConfigKey, type BuildFiles } from "./build-pod.ts";

/** The Secret of a build, which the cluster removes together with its Job; undefined if the build has no files. */
export function buildSecret(job: Job, { dockerConfig, files }: BuildFiles): Secret | undefined {
  const { name = "", namespace = "", uid = "", labels } = job.metadata ?? {};
  const stringData = { ...files, ...(dockerConfig === undefined ? {} : { [dockerConfigKey]: dockerConfig }) };
  if (Object.keys(stringData).length === 0) return undefined;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...{ name, namespace },
      ...(labels === undefined ? {} : { labels }),
      ownerReferences: [
        { apiVersion: "batch/v1", kind: "Job", name, uid, controller: true, blockOwnerDeletion: false },
      ],
    },
    immutable: true,
    type: "Opaque",
    stringData,
  };
}
