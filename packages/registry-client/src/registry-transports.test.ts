import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import { inspect } from "node:util";

import { BuilderError } from "@slipway/core/errors";
import { afterEach, describe, expect, test, vi } from "vitest";

import { createNetworkTransport, createRegistryClient, createStreamTransport } from "./index.ts";
import type { RegistryRequest, RegistryTransport } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = createServer(handle);
  server.on("connection", (socket: Socket) => sockets.add(socket));
  return { port: await listen(server), sockets, server };
}

async function text(response: Awaited<ReturnType<RegistryTransport>>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function request(port: number, more: Partial<RegistryRequest> = {}): RegistryRequest {
  const url = new URL(`http://127.0.0.1:${port}/`);
  return { method: "GET", url, headers: {}, signal: new AbortController().signal, ...more };
}

const transports = {
  network: () => createNetworkTransport({ proxy: false }),
  // As streams of a cluster do, this one ends with its signal.
  stream: (port: number) => createStreamTransport(async (signal) => connect({ port, host: "127.0.0.1", signal })),
};

describe.each(Object.entries(transports))("over a %s", (_, open) => {
  function transport(port: number): RegistryTransport {
    const opened = open(port);
    cleanups.push(async () => await opened.close?.());
    return opened;
  }

  test("one connection serves one request after the other", async () => {
    const { port, sockets } = await serve(({ method = "" }, response) => {
      response.writeHead(200, { "content-length": method.length }).end(method === "HEAD" ? undefined : method);
    });
    const send = transport(port);
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE"] as const) {
      expect(await text(await send(request(port, { method, body: method === "PUT" ? "x" : undefined })))).toBe(
        method === "HEAD" ? "" : method,
      );
    }
    expect(sockets.size).toBe(1);
  });

  test("a kept connection that has died is replaced, unless that could do harm", async () => {
    let count = 0;
    const { port, sockets } = await serve((incoming, response) => {
      // As a registry that restarts: the connection was fine until it was used.
      if (incoming.method === "GET" && count++ === 1) incoming.socket.destroy();
      else if (incoming.method === "POST") incoming.socket.destroy();
      else response.end("here");
    });
    const send = transport(port);
    expect(await text(await send(request(port)))).toBe("here");
    expect(await text(await send(request(port)))).toBe("here");
    expect(sockets.size).toBe(2);
    expect(count).toBe(3);
    await expect(send(request(port, { method: "POST" }))).rejects.toThrow();
    expect(sockets.size).toBe(2);
  });

  test("what is not to be repeated is not sent again when the kept connection dies either", async () => {
    let puts = 0;
    const { port, sockets } = await serve((incoming, response) => {
      if (incoming.method !== "PUT") return void response.end("here");
      puts += 1;
      incoming.resume().once("end", () => incoming.socket.destroy());
    });
    const send = transport(port);
    expect(await text(await send(request(port)))).toBe("here");
    await expect(
      send(request(port, { method: "PUT", body: "the bytes of a blob", repeatable: false })),
    ).rejects.toThrow();
    expect(puts).toBe(1);
    expect(sockets.size).toBe(1);
  });

  test("a body is sent while it is read, with its length", async () => {
    const hash = createHash("sha256");
    let length: string | undefined;
    const { port } = await serve((incoming, response) => {
      length = incoming.headers["content-length"];
      incoming.on("data", (chunk: Buffer) => hash.update(chunk));
      incoming.on("end", () => void response.writeHead(202).end());
    });
    const block = randomBytes(1024 * 1024);
    const expected = createHash("sha256");
    async function* chunks() {
      for (let index = 0; index < 20; index++) {
        expected.update(block);
        yield block;
      }
    }
    const body = { sizeBytes: 20 * block.length, chunks: chunks() };
    const response = await transport(port)(request(port, { method: "PATCH", body }));
    expect(response.status).toBe(202);
    expect(length).toBe(String(20 * block.length));
    expect(hash.digest("hex")).toBe(expected.digest("hex"));
  });

  test("a body that fails or is not as long as it says ends the request", async () => {
    const { port } = await serve((incoming) => void incoming.resume());
    const send = transport(port);
    async function* short() {
      yield Buffer.from("abc");
    }
    async function* failing() {
      yield Buffer.from("abc");
      throw new Error("the source is gone");
    }
    const post = (sizeBytes: number, chunks: AsyncIterable<Uint8Array>) =>
      send(request(port, { method: "PATCH", body: { sizeBytes, chunks } }));
    await expect(post(10, short())).rejects.toThrow(/ended after 3 of 10 bytes/);
    await expect(post(2, short())).rejects.toThrow(/more than the 2 bytes/);
    await expect(post(10, failing())).rejects.toThrow(/the source is gone/);
  });

  test("a body is no longer read once the answer is there", async () => {
    const { port } = await serve((_, response) => void response.writeHead(413).end("too large"));
    let returned = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(64 * 1024);
      } finally {
        returned = true;
      }
    }
    const body = { sizeBytes: Number.MAX_SAFE_INTEGER, chunks: endless() };
    const response = await transport(port)(request(port, { method: "PATCH", body }));
    expect(response.status).toBe(413);
    expect(await text(response)).toBe("too large");
    await vi.waitFor(() => expect(returned).toBe(true));
  });

  test("a signal ends the request, and nobody else's", async () => {
    const { port } = await serve((incoming, response) => {
      if (incoming.url === "/") response.end("here");
    });
    const send = transport(port);
    const first = new AbortController();
    expect(await text(await send(request(port, { signal: first.signal })))).toBe("here");
    // Its connection belongs to the next request by now.
    const next = send(request(port));
    first.abort();
    expect(await text(await next)).toBe("here");
    const never = new URL(`http://127.0.0.1:${port}/never`);
    await expect(send(request(port, { url: never, signal: AbortSignal.timeout(50) }))).rejects.toThrow();
  });

  test("connections that nothing asks for are let go", async () => {
    const { port, sockets } = await serve((_, response) => void response.end("here"));
    const send = transport(port);
    await text(await send(request(port)));
    await send.close?.();
    await vi.waitFor(() => expect([...sockets].every((socket) => socket.destroyed)).toBe(true));
    expect(await text(await send(request(port)))).toBe("here");
  });
});

test("an idle stream is destroyed after a while", async () => {
  const { port, sockets } = await serve((_, response) => void response.end("here"));
  const send = createStreamTransport(async () => connect(port, "127.0.0.1"), { idleMs: 20 });
  await text(await send(request(port)));
  await vi.waitFor(() => expect([...sockets].every((socket) => socket.destroyed)).toBe(true));
});

describe("a client", () => {
  test("sends so many requests at a time as it may", async () => {
    let [open, most] = [0, 0];
    const { port } = await serve((_, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        response.writeHead(404).end();
      }, 20);
    });
    const registry = `127.0.0.1:${port}`;
    const client = createRegistryClient({ registry, maxConcurrentRequests: 3 });
    await Promise.all(Array.from({ length: 12 }, (__, index) => client.headManifest(`${registry}/app${index}:v1`)));
    expect(most).toBe(3);
  });

  test("waits as long as a busy registry asks for", async () => {
    const times: number[] = [];
    const { port } = await serve((_, response) => {
      times.push(performance.now());
      const busy = times.length === 1;
      response.writeHead(busy ? 429 : 404, busy ? { "retry-after": "1" } : {}).end();
    });
    const registry = `127.0.0.1:${port}`;
    await createRegistryClient({ registry, retryDelaysMs: [1] }).headManifest(`${registry}/app:v1`);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  test("never sends a stream twice", async () => {
    let count = 0;
    const { port } = await serve((incoming, response) => {
      if (incoming.method === "POST") response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
      else if (incoming.method === "PATCH") incoming.resume().on("end", () => response.writeHead(++count && 503).end());
      else response.writeHead(204).end();
    });
    const registry = `127.0.0.1:${port}`;
    const upload = await createRegistryClient({ registry, retryDelaysMs: [1, 1] }).startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    async function* chunks() {
      yield Buffer.from("layer");
    }
    const error: unknown = await upload.write({ sizeBytes: 5, chunks: chunks() }).catch((reason: unknown) => reason);
    expect(BuilderError.isInstance(error) && error.code, inspect(error)).toBe("REGISTRY_UNAVAILABLE");
    expect(count).toBe(1);
  });

  test("reads from mirrors first, and from the registry what they do not have", async () => {
    const seen: string[] = [];
    const has = (name: string, paths: string[]) =>
      serve((incoming, response) => {
        seen.push(`${name} ${incoming.method} ${incoming.url}`);
        const found = paths.some((path) => incoming.url?.startsWith(path) === true);
        if (incoming.method === "PUT") response.writeHead(201).end();
        else if (found) response.end('{"schemaVersion":2}');
        else response.writeHead(name === "broken" ? 500 : 404).end();
      });
    const registry = `127.0.0.1:${(await has("registry", ["/v2/app/manifests/only-here"])).port}`;
    const broken = await has("broken", []);
    const mirror = await has("mirror", ["/v2/hub/app/manifests/both"]);
    const mirrors = [`127.0.0.1:${broken.port}`, `127.0.0.1:${mirror.port}/hub`];
    const client = createRegistryClient({ registry, mirrors, retryDelaysMs: [1] });
    const ns = `ns=${encodeURIComponent(registry)}`;
    expect(await client.getManifest(`${registry}/app:both`)).toBeDefined();
    expect(seen.splice(0)).toEqual([
      `broken GET /v2/app/manifests/both?${ns}`,
      `mirror GET /v2/hub/app/manifests/both?${ns}`,
    ]);
    expect(await client.getManifest(`${registry}/app:only-here`)).toBeDefined();
    expect(seen.splice(0).at(-1)).toBe("registry GET /v2/app/manifests/only-here");
    await client.putManifest(`${registry}/app:both`, { mediaType: "x/y", bytes: Buffer.from("{}") });
    expect(seen).toEqual(["registry PUT /v2/app/manifests/both"]);
  });
});

describe("a proxy", () => {
  async function startProxy(target: () => number, status = 200) {
    const seen: string[] = [];
    const server = createServer((incoming, response) => {
      seen.push(`${incoming.method} ${incoming.url} ${incoming.headers["proxy-authorization"] ?? "-"}`);
      response.end('{"schemaVersion":2}');
    });
    server.on("connect", (incoming: IncomingMessage, socket: Socket) => {
      seen.push(`CONNECT ${incoming.url} ${incoming.headers["proxy-authorization"] ?? "-"}`);
      if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const upstream = connect(target(), "127.0.0.1");
      upstream.pipe(socket).pipe(upstream);
      socket.on("error", () => upstream.destroy());
      upstream.on("error", () => socket.destroy());
    });
    return { port: await listen(server), seen };
  }

  const login = `Basic ${Buffer.from("ann:hunter2").toString("base64")}`;

  test("is given plain requests as they are", async () => {
    const { port, seen } = await startProxy(() => 0);
    const client = createRegistryClient({
      ...{ registry: "registry.example.com", http: true, proxy: `http://ann:hunter2@127.0.0.1:${port}` },
    });
    await client.getManifest("registry.example.com/app:v1");
    await client.getManifest("registry.example.com/app:v2");
    await client.close();
    expect(seen).toEqual(["v1", "v2"].map((tag) => `GET http://registry.example.com/v2/app/manifests/${tag} ${login}`));
  });

  test("opens a tunnel for TLS, in which nothing of its password is", async () => {
    // What comes through the tunnel is no TLS here; that it comes is enough.
    const { port: target } = await serve(() => undefined);
    const { port, seen } = await startProxy(() => target);
    const client = createRegistryClient({
      ...{ registry: "registry.example.com", proxy: `http://ann:hunter2@127.0.0.1:${port}`, retryDelaysMs: [] },
    });
    const error = await client.headManifest("registry.example.com/app:v1").catch((reason: unknown) => reason);
    expect(BuilderError.isInstance(error)).toBe(true);
    expect(inspect(error, { depth: 9 })).not.toMatch(/hunter2|YW5uOmh1bnRlcjI/);
    expect(seen).toEqual([`CONNECT registry.example.com:443 ${login}`]);
  });

  test("that refuses is named", async () => {
    const { port } = await startProxy(() => 0, 407);
    const client = createRegistryClient({
      ...{ registry: "registry.example.com", proxy: `http://127.0.0.1:${port}`, retryDelaysMs: [] },
    });
    await expect(client.headManifest("registry.example.com/app:v1")).rejects.toThrow(
      /the proxy 127\.0\.0\.1 answered 407 No for registry\.example\.com:443/,
    );
  });
});
