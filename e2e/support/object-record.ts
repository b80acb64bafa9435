import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "./test-namespace.ts";

/** Which objects of a kind a namespace gets while something happens. */
export interface ObjectRecord extends Disposable {
  /** Names of those that were made since the beginning, once everything until now is known. */
  made(): Promise<readonly string[]>;
}

const marker = "end-of-record";

/** Begins to record pods. */
export function recordPods(namespace: TestNamespace): Promise<ObjectRecord> {
  const containers = [{ name: marker, image: namespace.testCluster.images.busybox, command: ["true"] }];
  return recordObjects(namespace, { apiVersion: "v1", kind: "Pod" }, { spec: { containers } } satisfies Pod);
}

/** Begins to record Secrets. */
export function recordSecrets(namespace: TestNamespace): Promise<ObjectRecord> {
  return recordObjects(namespace, { apiVersion: "v1", kind: "Secret" }, {});
}

/** Begins to record. That nothing was missed shows in an object of its own, which comes last. */
async function recordObjects(
  { cluster, name: namespace }: TestNamespace,
  type: { readonly apiVersion: string; readonly kind: string },
  content: object,
): Promise<ObjectRecord> {
  const controller = new AbortController();
  const from = await cluster.list({ ...type, namespace });
  const seen: string[] = [];
  const marked = Promise.withResolvers<undefined>();
  const follow = async (): Promise<void> => {
    for await (const event of cluster.watch({ ...type, namespace }, { from, signal: controller.signal })) {
      if (event.type !== "ADDED") continue;
      const { name = "" } = event.object.metadata ?? {};
      if (name === marker) marked.resolve(undefined);
      else seen.push(name);
    }
  };
  follow().catch((error: unknown) => marked.reject(error as Error));
  return {
    made: async () => {
      await cluster.create({ ...type, ...content, metadata: { name: marker, namespace } });
      await marked.promise;
      await cluster.delete({ ...type, namespace, name: marker }, { gracePeriodSeconds: 0 });
      return seen;
    },
    [Symbol.dispose]: () => controller.abort(),
  };
}
