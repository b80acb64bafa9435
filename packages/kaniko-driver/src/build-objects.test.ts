import { BuilderError, type DriverEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { removeBuild, removeOrTell, type RemovingCluster } from "./build-objects.ts";

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
