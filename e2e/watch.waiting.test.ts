import { setTimeout as delay } from "node:timers/promises";

import type { Cluster, ConfigMap, WatchEvent, WatchOptions } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";
import { describe, expect, test } from "vitest";

import { connectThroughInjectingProxy, connectThroughProxy } from "./streams/through-proxy.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const configMaps = { apiVersion: "v1", kind: "ConfigMap" };
const labelSelector = "watched=yes";

/** A watch that is followed in the background, as lines like `ADDED a=1`. */
interface FollowedWatch extends AsyncDisposable {
  readonly events: readonly string[];
  /** Resolves once the last event is this one. */
  reaches(event: string, timeoutMs?: number): Promise<void>;
}

function follow(cluster: Cluster, options: WatchOptions<ConfigMap> = {}): FollowedWatch {
  const events: string[] = [];
  const controller = new AbortController();
  const describeEvent = ({ type, object }: WatchEvent<ConfigMap>): string =>
    `${type} ${object.metadata?.name}=${object.data?.value}`;
  const running = (async () => {
    const watch = cluster.watch<ConfigMap>(configMaps, { labelSelector, ...options, signal: controller.signal });
    for await (const event of watch) events.push(describeEvent(event));
  })();
  let failure: unknown;
  running.catch((error: unknown) => (failure = error));
  return {
    events,
    reaches: async (event, timeout = 20_000) => {
      await until(
        () => failure !== undefined || events.at(-1) === event,
        `${event}, after ${events.join(", ")}`,
        timeout,
      );
      if (failure !== undefined) throw BuilderError.from(failure);
    },
    [Symbol.asyncDispose]: async () => {
      controller.abort();
      await running.catch(() => undefined);
    },
  };
}

/** Waits for a condition; `expect.poll` does not work in concurrent tests. */
async function until(isMet: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isMet()) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await delay(20);
  }
}

function configMap(cluster: Cluster, name: string, value: string): ConfigMap {
  return {
    ...configMaps,
    metadata: { name, namespace: cluster.namespace, labels: { watched: "yes" } },
    data: { value },
  };
}

function remove(cluster: Cluster, name: string): Promise<void> {
  return cluster.delete({ ...configMaps, name });
}

describe.concurrent("watch", () => {
  test("WATCH: after 100 s without a change, longer than load balancers and clients wait, the next one arrives", async () => {
    await using namespace = await createTestNamespace();
    const { cluster } = namespace;
    await using watch = follow(cluster);
    await cluster.create(configMap(cluster, "a", "1"));
    await watch.reaches("ADDED a=1");
    await delay(100_000);
    await cluster.apply(configMap(cluster, "a", "2"));
    await watch.reaches("MODIFIED a=2");
    expect(watch.events).toEqual(["ADDED a=1", "MODIFIED a=2"]);
  });

  test("WATCH: the API server ends it again and again, by its own timeout, and nothing is lost or told twice", async () => {
    await using namespace = await createTestNamespace();
    const { cluster } = namespace;
    await using watch = follow(cluster, { serverTimeoutMs: 1000 });
    const expected: string[] = [];
    for (let value = 0; value < 30; value += 1) {
      const type = value === 0 ? "ADDED" : "MODIFIED";
      expected.push(`${type} a=${value}`);
      await cluster.apply(configMap(cluster, "a", String(value)));
      await delay(200);
    }
    await watch.reaches("MODIFIED a=29");
    expect(watch.events).toEqual(expected);
  });

  test("WATCH: a connection that is open but dead is noticed and replaced", async () => {
    await using namespace = await createTestNamespace();
    const { cluster } = namespace;
    await using proxied = await connectThroughProxy(namespace.testCluster, namespace.name);
    await using watch = follow(proxied.cluster, { idleTimeoutMs: 3000 });
    await cluster.create(configMap(cluster, "a", "1"));
    await watch.reaches("ADDED a=1");
    // The first may be told by the list before; the second shows that the watch is open.
    await cluster.create(configMap(cluster, "open", "1"));
    await watch.reaches("ADDED open=1");
    proxied.proxy.freeze();
    await cluster.apply(configMap(cluster, "a", "2"));
    await remove(cluster, "a");
    await cluster.create(configMap(cluster, "b", "1"));
    await watch.reaches("ADDED b=1");
    expect(watch.events).toEqual(["ADDED a=1", "ADDED open=1", "MODIFIED a=2", "DELETED a=2", "ADDED b=1"]);
  });

  test("WATCH: a version that expires while objects change: the difference is told, deletions too", async () => {
    await using namespace = await createTestNamespace();
    const { cluster } = namespace;
    for (const name of ["deleted", "kept", "modified", "replaced"]) await cluster.create(configMap(cluster, name, "1"));
    await using expiring = await connectThroughInjectingProxy(namespace.testCluster, namespace.name);
    await using watch = follow(expiring.cluster);
    await watch.reaches("ADDED replaced=1");
    await until(() => expiring.proxy.watchCount === 1, "the watch is open");
    const proceed = expiring.proxy.expire();
    await remove(cluster, "deleted");
    await cluster.apply(configMap(cluster, "modified", "2"));
    await remove(cluster, "replaced");
    await cluster.create(configMap(cluster, "replaced", "2"));
    await cluster.create(configMap(cluster, "created", "1"));
    proceed();
    await until(() => watch.events.length >= 9, "five more events");
    expect([...watch.events.slice(4)].sort()).toEqual(
      ["ADDED created=1", "ADDED replaced=2", "DELETED deleted=1", "DELETED replaced=1", "MODIFIED modified=2"].sort(),
    );
    await cluster.apply(configMap(cluster, "kept", "2"));
    await watch.reaches("MODIFIED kept=2");
  });

  test("WATCH: a version that the API server itself has dropped: the difference is told, deletions too", async () => {
    await using namespace = await createTestNamespace();
    const { cluster } = namespace;
    for (const name of ["deleted", "kept", "modified"]) await cluster.create(configMap(cluster, name, "1"));
    const from = await cluster.list<ConfigMap>(configMaps, { labelSelector });
    await remove(cluster, "deleted");
    await cluster.apply(configMap(cluster, "modified", "2"));
    await cluster.create(configMap(cluster, "created", "1"));
    // Its watch cache keeps events for 75 s, and then as many as it has room for: others have to push these out.
    await delay(80_000);
    await fillWatchCache(cluster, from.resourceVersion);
    await using watch = follow(cluster, { from });
    await until(() => watch.events.length >= 3, "three events");
    expect([...watch.events].sort()).toEqual(["ADDED created=1", "DELETED deleted=1", "MODIFIED modified=2"]);
    await cluster.apply(configMap(cluster, "kept", "2"));
    await watch.reaches("MODIFIED kept=2");
  });
});

/** Writes until the API server answers 410 to a watch from `resourceVersion`. */
async function fillWatchCache(cluster: Cluster, resourceVersion: string): Promise<void> {
  const path = `/api/v1/namespaces/${cluster.namespace}/configmaps`;
  const query = { watch: true, resourceVersion, timeoutSeconds: 1 };
  const action = { verb: "watch", resource: "configmaps" };
  for (let round = 0; round < 50; round += 1) {
    const answer = await cluster
      .request<{ object?: { code?: number } }>({ method: "GET", path, query, action })
      // Several events are several documents, which are no JSON.
      .catch(() => undefined);
    if (answer?.object?.code === 410) return;
    for (let write = 0; write < 100; write += 1) {
      const data = { value: `${round}-${write}` };
      await cluster.apply<ConfigMap>({
        ...configMaps,
        metadata: { name: "noise", namespace: cluster.namespace },
        data,
      });
    }
  }
  throw new Error(`the API server still knows version ${resourceVersion}`);
}
