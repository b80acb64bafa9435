import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";

import { expect, test } from "vitest";

import type { ClusterCall } from "../rest/api-client.ts";
import type { KubernetesObject, ObjectReference, Pod, Service } from "../rest/kubernetes-object.ts";
import { createServiceDialer, serviceOf } from "./service-dialer.ts";

test.each([
  ["registry.tools.svc", { namespace: "tools", name: "registry" }],
  ["Registry.tools.svc.cluster.local", { namespace: "tools", name: "registry" }],
  ["registry", { namespace: "builds", name: "registry" }],
  ["registry.tools", undefined],
  ["registry.example.com", undefined],
  ["localhost", undefined],
  ["10.0.0.1", undefined],
  ["[::1]", undefined],
])("%s as a Service", (hostname, service) => {
  expect(serviceOf(hostname, "builds")).toEqual(service);
});

const service: Service = {
  apiVersion: "v1",
  kind: "Service",
  spec: { selector: { app: "registry", tier: "a" }, ports: [{ port: 80, targetPort: "http" }, { port: 5000 }] },
};

function pod(name: string, ready: boolean): Pod {
  const ports = [{ name: "http", containerPort: 8080 }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "registry", ports }] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

/** A cluster that knows one Service and some pods, and notes what it is asked. */
function fakeCluster(pods: readonly Pod[], found: Service | undefined = service) {
  const asked: string[] = [];
  const gone = new Set<string>();
  const cluster: Parameters<typeof createServiceDialer>[0] = {
    server: "https://cluster.example.com",
    namespace: "builds",
    get: async <Kind extends KubernetesObject>({ name, namespace }: ObjectReference, { signal }: ClusterCall = {}) => {
      asked.push(`get ${namespace}/${name}`);
      await nextTurn(undefined, { signal });
      return found as Kind | undefined;
    },
    list: async (_resource, { labelSelector } = {}) => {
      asked.push(`list ${labelSelector}`);
      const items = pods.filter(({ metadata }) => !gone.has(metadata?.name ?? ""));
      return { items: items as KubernetesObject[] as never[], resourceVersion: "1" };
    },
    portForward: async ({ namespace, pod, port }) => {
      asked.push(`forward ${namespace}/${pod}:${port}`);
      if (gone.has(pod)) throw new Error(`${pod} is gone`);
      return new PassThrough();
    },
  };
  return { asked, gone, dial: createServiceDialer(cluster) };
}

const { signal } = new AbortController();

test("a Service is reached through a ready pod behind it, and looked up once", async () => {
  const { asked, dial } = fakeCluster([pod("a", false), pod("b", true)]);
  await dial(signal, new URL("http://registry.tools.svc/v2/"));
  await dial(signal, new URL("http://registry.tools.svc/v2/"));
  const lookedUp = ["get tools/registry", "list app=registry,tier=a"];
  expect(asked).toEqual([...lookedUp, "forward tools/b:8080", "forward tools/b:8080"]);
});

test("a Service whose pod is gone is looked up again", async () => {
  const { asked, gone, dial } = fakeCluster([pod("a", true), pod("b", true)]);
  const url = new URL("http://registry.tools.svc/v2/");
  await dial(signal, url);
  gone.add("a");
  await expect(dial(signal, url)).rejects.toThrow("a is gone");
  await dial(signal, url);
  expect(asked.at(-1)).toBe("forward tools/b:8080");
});

test("whoever leaves while a Service is looked up takes nobody along", async () => {
  const { dial } = fakeCluster([pod("b", true)]);
  const url = new URL("http://registry.tools.svc/v2/");
  const leaving = new AbortController();
  const left = dial(leaving.signal, url);
  const stays = dial(signal, url);
  leaving.abort(new Error("the test leaves"));
  await expect(left).rejects.toThrow();
  expect(await stays).toBeInstanceOf(PassThrough);
});

test("a port without a target is the same in the pod", async () => {
  const { asked, dial } = fakeCluster([pod("b", true)]);
  await dial(signal, new URL("http://registry:5000/v2/"));
  expect(asked.at(-1)).toBe("forward builds/b:5000");
});

test.each([
  ["no pod that is ready", fakeCluster([pod("a", false)])],
  ["no such Service", fakeCluster([pod("a", true)], { apiVersion: "v1", kind: "Service" })],
])("%s is told with the name", async (_what, { dial }) => {
  await expect(dial(signal, new URL("http://registry.tools.svc/v2/"))).rejects.toMatchObject({
    code: "CLUSTER_UNREACHABLE",
    message: expect.stringContaining("registry.tools.svc:80") as string,
  });
});

test("other names are reached from here", async () => {
  const server = createServer((socket) => socket.end("here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { asked, dial } = fakeCluster([]);
  const stream = await dial(signal, new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  const [chunk] = (await once(stream, "data")) as [Buffer];
  expect(chunk.toString()).toBe("here");
  expect(asked).toEqual([]);
  stream.destroy();
  server.close();
});
