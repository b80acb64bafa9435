import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { PassThrough } from "node:stream";

import { expect, test } from "vitest";

import type { Cluster } from "../cluster.ts";
import type { Pod, Service } from "../rest/kubernetes-object.ts";
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
  const cluster = {
    server: "https://cluster.example.com",
    namespace: "builds",
    get: async ({ name, namespace }: { name?: string; namespace?: string }) => {
      asked.push(`get ${namespace}/${name}`);
      return found;
    },
    list: async (_resource: unknown, { labelSelector }: { labelSelector?: string }) => {
      asked.push(`list ${labelSelector}`);
      return { items: pods };
    },
    portForward: async (target: { namespace: string; pod: string; port: number }) => {
      asked.push(`forward ${target.namespace}/${target.pod}:${target.port}`);
      return new PassThrough();
    },
  };
  return { asked, dial: createServiceDialer(cluster as unknown as Cluster) };
}

const { signal } = new AbortController();

test("a Service is reached through a ready pod behind it, and looked up once", async () => {
  const { asked, dial } = fakeCluster([pod("a", false), pod("b", true)]);
  await dial(signal, new URL("http://registry.tools.svc/v2/"));
  await dial(signal, new URL("http://registry.tools.svc/v2/"));
  const lookedUp = ["get tools/registry", "list app=registry,tier=a"];
  expect(asked).toEqual([...lookedUp, "forward tools/b:8080", "forward tools/b:8080"]);
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
