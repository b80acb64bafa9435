import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "../support/test-namespace.ts";

/** Which pods a namespace gets while something happens. */
export interface PodRecord extends Disposable {
  /** Names of the pods that were made since the beginning, once everything until now is known. */
  made(): Promise<readonly string[]>;
}

const pods = { apiVersion: "v1", kind: "Pod" } as const;

/** Begins to record. That nothing was missed shows in a pod of its own, which comes last. */
export async function recordPods({ cluster, name: namespace, testCluster }: TestNamespace): Promise<PodRecord> {
  const controller = new AbortController();
  const from = await cluster.list<Pod>({ ...pods, namespace });
  const seen: string[] = [];
  const marker = "end-of-record";
  const marked = Promise.withResolvers<undefined>();
  const follow = async (): Promise<void> => {
    for await (const event of cluster.watch<Pod>({ ...pods, namespace }, { from, signal: controller.signal })) {
      if (event.type !== "ADDED") continue;
      const { name = "" } = event.object.metadata ?? {};
      if (name === marker) marked.resolve(undefined);
      else seen.push(name);
    }
  };
  follow().catch((error: unknown) => marked.reject(error as Error));
  return {
    made: async () => {
      const containers = [{ name: marker, image: testCluster.images.busybox, command: ["true"] }];
      await cluster.create<Pod>({ ...pods, metadata: { name: marker, namespace }, spec: { containers } });
      await marked.promise;
      await cluster.delete({ ...pods, namespace, name: marker }, { gracePeriodSeconds: 0 });
      return seen;
    },
    [Symbol.dispose]: () => controller.abort(),
  };
}
