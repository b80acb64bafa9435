import { createServer as createTcpServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer as createHttpServer } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { answer, startFakeApiServer, statusBody } from "../__fixtures__/fake-api-server.ts";
import { connectCluster } from "../connect-cluster.ts";
import { apiStatusOf } from "./api-status.ts";

const pod = { apiVersion: "v1", kind: "Pod", name: "p" };

test("100 calls share a few connections", async () => {
  await using server = await startFakeApiServer({ request: (_, response) => answer(response, 200, { kind: "Pod" }) });
  for (let call = 0; call < 100; call += 1) await server.cluster.get(pod);
  expect(server.connectionCount).toBe(1);
});

test("a token file is read again when the server refuses the token", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-token-"));
  const tokenFile = join(folder, "token");
  await writeFile(tokenFile, "old\n");
  const seen: (string | undefined)[] = [];
  await using server = await startFakeApiServer({
    user: { tokenFile },
    request: (request, response) => {
      seen.push(request.headers.authorization);
      if (request.headers.authorization === "Bearer new") answer(response, 200, {});
      else
        void writeFile(tokenFile, "new").then(() =>
          answer(response, 401, statusBody(401, "Unauthorized", "Unauthorized")),
        );
    },
  });
  await server.cluster.get(pod);
  await server.cluster.get(pod);
  expect(seen).toEqual(["Bearer old", "Bearer new", "Bearer new"]);
  await rm(folder, { recursive: true });
});

test("acts as somebody else if the kubeconfig says so", async () => {
  let headers: unknown;
  const user = { token: "t", as: "jane", "as-groups": ["a", "b"], "as-user-extra": { "example.com/Scope": ["x"] } };
  await using server = await startFakeApiServer({
    user,
    request: (request, response) => {
      headers = request.headersDistinct;
      answer(response, 200, {});
    },
  });
  await server.cluster.get(pod);
  expect(headers).toMatchObject({
    "impersonate-user": ["jane"],
    "impersonate-group": ["a", "b"],
    "impersonate-extra-example.com%2fscope": ["x"],
  });
});

test("waits as long as a busy server asks for", async () => {
  let count = 0;
  await using server = await startFakeApiServer({
    request: (_, response) => {
      count += 1;
      if (count === 1) answer(response, 429, statusBody(429, "TooManyRequests", "later"), { "retry-after": "1" });
      else answer(response, 200, { kind: "Pod" });
    },
  });
  const startedMs = performance.now();
  await server.cluster.create({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" } });
  expect(performance.now() - startedMs).toBeGreaterThan(950);
});

const refusals: readonly (readonly [number, string, string, object | undefined, object])[] = [
  [401, "Unauthorized", "Unauthorized", undefined, { code: "CLUSTER_UNAUTHORIZED", details: { user: "tester" } }],
  [
    403,
    "Forbidden",
    'pods is forbidden: User "x" cannot create resource "pods" in API group "" in the namespace "builds"',
    { kind: "pods" },
    { code: "FORBIDDEN", details: { verb: "create", resource: "pods", namespace: "builds" } },
  ],
  [
    404,
    "NotFound",
    'namespaces "builds" not found',
    { kind: "namespaces", name: "builds" },
    { code: "NAMESPACE_NOT_FOUND", details: { namespace: "builds" } },
  ],
  [
    403,
    "Forbidden",
    'pods "p" is forbidden: unable to create new content in namespace builds because it is being terminated',
    { causes: [{ reason: "NamespaceTerminating" }] },
    { code: "NAMESPACE_NOT_FOUND", details: { namespace: "builds" } },
  ],
  [
    422,
    "Invalid",
    'Pod "p" is invalid',
    { causes: [{ field: "spec.containers", message: "Required value" }] },
    { code: "INVALID_OPTIONS", details: { issues: [{ path: "spec.containers", message: "Required value" }] } },
  ],
  [500, "InternalError", "etcd is gone", undefined, { code: "CLUSTER_UNREACHABLE", retryable: true }],
  [409, "AlreadyExists", 'pods "p" already exists', undefined, { code: "INTERNAL", retryable: true }],
];

test.each(refusals)("a %i %s becomes the error that helps", async (code, reason, message, details, expected) => {
  await using server = await startFakeApiServer({
    request: (_, response) => answer(response, code, statusBody(code, reason, message, details)),
  });
  const error: unknown = await server.cluster
    .create({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" } })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject(expected);
  expect(apiStatusOf(error)).toMatchObject({ code, reason });
});

test("what is not there is undefined, and deleting it is fine", async () => {
  await using server = await startFakeApiServer({
    request: (_, response) => answer(response, 404, statusBody(404, "NotFound", "no")),
  });
  expect(await server.cluster.get(pod)).toBeUndefined();
  await expect(server.cluster.delete(pod)).resolves.toBeUndefined();
});

test("lists page by page", async () => {
  await using server = await startFakeApiServer({
    request: (request, response) => {
      const next = new URL(request.url ?? "", "http://x").searchParams.get("continue");
      const name = next ?? "first";
      answer(response, 200, {
        metadata: { resourceVersion: "7", continue: next ? "" : "second" },
        items: [{ metadata: { name } }],
      });
    },
  });
  const { items, resourceVersion } = await server.cluster.list({ apiVersion: "v1", kind: "Pod" });
  expect(items.map(({ kind, metadata }) => `${kind} ${metadata?.name}`)).toEqual(["Pod first", "Pod second"]);
  expect(resourceVersion).toBe("7");
});

test("asks the server how it calls a kind that is not built in", async () => {
  const paths: (string | undefined)[] = [];
  await using server = await startFakeApiServer({
    request: (request, response) => {
      paths.push(request.url);
      const resources = [
        { name: "widgets/status", kind: "Widget", namespaced: true },
        { name: "widgets", kind: "Widget", namespaced: true },
      ];
      answer(response, 200, request.url === "/apis/example.com/v1" ? { resources } : {});
    },
  });
  await server.cluster.get({ apiVersion: "example.com/v1", kind: "Widget", name: "w" });
  await server.cluster.get({ apiVersion: "example.com/v1", kind: "Widget", name: "w" });
  const object = "/apis/example.com/v1/namespaces/builds/widgets/w";
  expect(paths).toEqual(["/apis/example.com/v1", object, object]);
});

test("a call that is given up rejects with the signal's reason, and its connection ends", async () => {
  await using server = await startFakeApiServer({ request: () => undefined });
  const controller = new AbortController();
  const call = server.cluster.get(pod, { signal: controller.signal });
  await expect.poll(() => server.connectionCount).toBe(1);
  controller.abort(new Error("changed my mind"));
  await expect(call).rejects.toMatchObject({ code: "ABORTED", details: { reason: "changed my mind" } });
});

test("a server that is not there is CLUSTER_UNREACHABLE, with what to check", async () => {
  const server = await startFakeApiServer({});
  const folder = await mkdtemp(join(tmpdir(), "slipway-kubeconfig-"));
  const kubeconfig = join(folder, "config");
  const clusters = [{ name: "x", cluster: { server: server.url } }];
  await writeFile(
    kubeconfig,
    JSON.stringify({ "current-context": "x", contexts: [{ name: "x", context: { cluster: "x" } }], clusters }),
  );
  await server[Symbol.asyncDispose]();
  await using cluster = await connectCluster({ kubeconfig });
  await expect(cluster.get(pod)).rejects.toMatchObject({
    code: "CLUSTER_UNREACHABLE",
    message: expect.stringMatching(/ECONNREFUSED.*Nothing listens there/) as string,
    details: { server: server.url },
  });
  await rm(folder, { recursive: true });
});

test("an answer that is no JSON says so", async () => {
  await using server = await startFakeApiServer({
    request: (_, response) => response.end("<html>Log in to the hotel"),
  });
  await expect(server.cluster.get(pod)).rejects.toMatchObject({
    message: expect.stringContaining("something else than JSON") as string,
  });
});

test("REST and exec go through an HTTP proxy", async () => {
  const asked: string[] = [];
  const proxy = createHttpServer();
  proxy.on("connect", (request, client) => {
    asked.push(`${request.url} ${request.headers["proxy-authorization"]}`);
    const [host = "", port] = (request.url ?? "").split(":");
    const upstream = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 fine\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  await using behind = await serveBehind(proxy, (port) => `http://me:secret@127.0.0.1:${port}`);
  expect(await behind.cluster.get(pod)).toEqual({ kind: "Pod" });
  // The first takes over the connection of the call, the second needs one of its own.
  for (let count = 0; count < 2; count += 1) {
    const stream = await behind.cluster.exec({ namespace: "builds", pod: "p", command: ["true"] });
    expect(await stream.status).toMatchObject({ exitCode: 0 });
  }
  expect(asked).toEqual([`${behind.host} Basic bWU6c2VjcmV0`, `${behind.host} Basic bWU6c2VjcmV0`]);
});

test("REST goes through a SOCKS5 proxy", async () => {
  const proxy = createTcpServer((client) => {
    client.once("data", () => {
      client.write(Buffer.from([5, 0]));
      client.once("data", (request: Buffer) => {
        const upstream = connect(request.readUInt16BE(8), [...request.subarray(4, 8)].join("."), () => {
          client.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
          upstream.pipe(client).pipe(upstream);
        });
        upstream.on("error", () => client.destroy());
        client.on("error", () => upstream.destroy());
      });
    });
  });
  await using behind = await serveBehind(proxy, (port) => `socks5://127.0.0.1:${port}`);
  expect(await behind.cluster.get(pod)).toEqual({ kind: "Pod" });
});

async function serveBehind(proxy: ReturnType<typeof createTcpServer>, url: (port: number) => string) {
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const server = await startFakeApiServer({
    request: (_, response) => answer(response, 200, { kind: "Pod" }),
    socket: (socket) => socket.send(Buffer.concat([Buffer.from([3]), Buffer.from('{"status":"Success"}')])),
  });
  const folder = await mkdtemp(join(tmpdir(), "slipway-kubeconfig-"));
  const kubeconfig = join(folder, "config");
  const proxyUrl = url((proxy.address() as AddressInfo).port);
  const clusters = [{ name: "x", cluster: { server: server.url, "proxy-url": proxyUrl } }];
  await writeFile(
    kubeconfig,
    JSON.stringify({ "current-context": "x", contexts: [{ name: "x", context: { cluster: "x" } }], clusters }),
  );
  const cluster = await connectCluster({ kubeconfig });
  return {
    cluster,
    host: new URL(server.url).host,
    [Symbol.asyncDispose]: async () => {
      await cluster.close();
      await server[Symbol.asyncDispose]();
      proxy.close();
      await rm(folder, { recursive: true });
    },
  };
}
