import { once } from "node:events";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import { inspect } from "node:util";

import { BuilderError } from "@slipway/core/errors";
import type { Credential, Keychain, RegistryDetails } from "@slipway/core";
import { afterEach, describe, expect, test, vi } from "vitest";

import { createCertificate } from "./__fixtures__/certificate.ts";
import { computeDigest, createNetworkTransport, createRegistryClient, createStreamTransport } from "./index.ts";
import type { RegistryClientOptions } from "./index.ts";

vi.setConfig({ testTimeout: 60_000 });

const manifest = Buffer.from('{"schemaVersion":2}');
const digest = computeDigest(manifest);
const mediaType = "application/vnd.oci.image.manifest.v1+json";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A registry: what `handle` leaves open is answered with the manifest. */
async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void = () => undefined) {
  const requests: string[] = [];
  const registry = await listen(
    createServer((request, response) => {
      requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
      handle(request, response);
      if (!response.writableEnded && !response.headersSent) serveManifest(request, response);
    }),
  );
  return { registry, requests, reference: { registry, repository: "team/app", tag: "v1" } };
}

function serveManifest(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, {
    "content-type": `${mediaType}; charset=utf-8`,
    "content-length": manifest.length,
    "docker-content-digest": digest,
  });
  response.end(request.method === "HEAD" ? undefined : manifest);
}

function client(registry: string, options: Partial<RegistryClientOptions> = {}) {
  return createRegistryClient({ registry, retryDelaysMs: [1, 1], ...options });
}

function holding(...credentials: Credential[]): Keychain {
  return { resolve: () => Promise.resolve(credentials) };
}

const ann: Credential = { source: "secret builds/ann", type: "basic", username: "ann", password: "hunter2" };
const bob: Credential = { source: "secret builds/bob", type: "basic", username: "bob", password: "hunter2" };

async function failure(promise: Promise<unknown>): Promise<BuilderError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error)) throw new Error(`unexpected ${inspect(error)}`);
  expect(inspect(error, { depth: 10 })).not.toMatch(/hunter2/);
  return error;
}

describe("manifests", () => {
  test("are described by HEAD and fetched by GET", async () => {
    const { registry, reference, requests } = await serve((request) => {
      expect(request.headers.accept).toContain("application/vnd.oci.image.index.v1+json");
      expect(request.headers.accept).toContain("application/vnd.docker.distribution.manifest.list.v2+json");
    });
    const descriptor = { mediaType, digest, sizeBytes: manifest.length };
    expect(await client(registry).headManifest(reference)).toEqual(descriptor);
    const found = await client(registry).getManifest(`${registry}/team/app@${digest}`);
    expect(found).toMatchObject(descriptor);
    expect(Buffer.from(found?.bytes ?? [])).toEqual(manifest);
    expect(requests).toEqual(["HEAD /v2/team/app/manifests/v1 -", `GET /v2/team/app/manifests/${digest} -`]);
  });

  test("that are not there are undefined", async () => {
    const { registry, reference } = await serve((_, response) => void response.writeHead(404).end());
    expect(await client(registry).headManifest(reference)).toBeUndefined();
    expect(await client(registry).getManifest(reference)).toBeUndefined();
  });

  test("are fetched where HEAD does not state the digest", async () => {
    const { registry, reference } = await serve((request, response) => {
      if (request.method === "HEAD") response.writeHead(200).end();
    });
    expect(await client(registry).headManifest(reference)).toEqual({ mediaType, digest, sizeBytes: manifest.length });
  });

  test("with other bytes than their digest are refused", async () => {
    const other = `sha256:${"0".repeat(64)}`;
    const { registry, reference } = await serve();
    const expected = { code: "DIGEST_MISMATCH", details: { expected: other, actual: digest } };
    expect(await failure(client(registry).getManifest({ ...reference, digest: other }))).toMatchObject(expected);
    expect(await failure(client(registry).headManifest({ ...reference, digest: other }))).toMatchObject(expected);
    const lying = await serve(
      (_, response) => void response.writeHead(200, { "docker-content-digest": other }).end("x"),
    );
    expect((await failure(client(lying.registry).getManifest(lying.reference))).code).toBe("DIGEST_MISMATCH");
  });

  test("of more than 4 MiB are refused", async () => {
    const { registry, reference } = await serve((_, response) => void response.end(Buffer.alloc(5 * 1024 * 1024)));
    expect((await failure(client(registry).getManifest(reference))).code).toBe("REGISTRY_REFUSED");
  });

  test("of another registry are not asked for", async () => {
    expect((await failure((async () => client("a.io").headManifest("b.io/x"))())).code).toBe("INVALID_OPTIONS");
  });
});

describe("authorization", () => {
  const basicAs = (user: string): string => `Basic ${Buffer.from(`${user}:hunter2`).toString("base64")}`;

  test("by Basic tries the candidates in order and remembers the winner", async () => {
    const { registry, reference, requests } = await serve((request, response) => {
      if (request.headers.authorization === basicAs("bob")) return;
      response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end();
    });
    const registryClient = client(registry, { credentials: holding(ann, bob) });
    await registryClient.headManifest(reference);
    await registryClient.headManifest(reference);
    expect(requests.map((line) => line.split(" ").slice(3).join(" "))).toEqual(
      ["-", "Basic", "Basic", "Basic"].map((kind, index) =>
        kind === "-" ? "" : (basicAs(index === 1 ? "ann" : "bob").split(" ")[1] ?? ""),
      ),
    );
  });

  test("tells whether a user is known, apart from whether the registry answers", async () => {
    const { registry } = await serve((request, response) => {
      const { authorization = "" } = request.headers;
      response.writeHead(authorization === basicAs("bob") ? 200 : authorization === basicAs("eve") ? 404 : 401).end();
    });
    const knows = (username: string) => client(registry).checkLogin({ username, password: "hunter2" });
    expect(await knows("bob")).toBe(true);
    expect(await knows("ann")).toBe(false);
    expect((await failure(knows("eve"))).code).toBe("REGISTRY_REFUSED");
  });

  /** A registry with a token service that gives tokens to those whom `accepts` knows. */
  async function serveTokens(accepts: (authorization: string, body: URLSearchParams) => boolean, lifetime?: number) {
    const asked: URL[] = [];
    const service = await listen(
      createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          asked.push(new URL(request.url ?? "", "http://token"));
          const accepted = accepts(request.headers.authorization ?? "", new URLSearchParams(body));
          response.writeHead(accepted ? 200 : 401);
          response.end(accepted ? JSON.stringify({ token: `t${asked.length}`, expires_in: lifetime }) : "{}");
        });
      }),
    );
    const challenge = `Bearer realm="http://${service}/token?a=b",service="the registry",scope="repository:team/app:pull"`;
    const served = await serve((request, response) => {
      if (request.headers.authorization?.startsWith("Bearer t")) return;
      response.writeHead(401, { "www-authenticate": challenge });
      response.end(
        request.method === "HEAD" ? undefined : JSON.stringify({ errors: [{ code: "DENIED", message: "go away" }] }),
      );
    });
    return { ...served, asked };
  }

  test("by Bearer gets a token for the scope, and uses it until it expires", async () => {
    const { registry, reference, asked, requests } = await serveTokens(
      (authorization) => authorization === basicAs("ann"),
      300,
    );
    const registryClient = client(registry, { credentials: holding(ann) });
    await registryClient.headManifest(reference);
    await registryClient.getManifest(reference);
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({
      a: "b",
      service: "the registry",
      scope: "repository:team/app:pull",
      client_id: "slipway",
    });
    expect(requests.map((line) => line.split(" ").slice(2).join(" "))).toEqual(["-", "Bearer t1", "Bearer t1"]);
  });

  test("by Bearer exchanges identity tokens, uses registry tokens as they are, and falls back to anonymous tokens", async () => {
    const refreshing = await serveTokens(
      (_, body) => body.get("grant_type") === "refresh_token" && body.get("refresh_token") === "id",
    );
    await client(refreshing.registry, {
      credentials: holding({ source: "s", type: "identity-token", token: "id" }),
    }).headManifest(refreshing.reference);
    const direct = await serveTokens(() => false);
    await client(direct.registry, {
      credentials: holding({ source: "s", type: "registry-token", token: "t0" }),
    }).headManifest(direct.reference);
    const anonymous = await serveTokens((authorization) => authorization === "");
    await client(anonymous.registry, { credentials: holding(ann) }).headManifest(anonymous.reference);
  });

  test("that fails names the credentials that were tried, and what the registry said", async () => {
    const { registry, reference } = await serveTokens(() => false);
    const error = await failure(client(registry, { credentials: holding(ann, bob) }).getManifest(reference));
    expect(error).toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      details: {
        registry,
        status: 401,
        triedCredentials: [ann.source, bob.source, "anonymous access"],
      },
    });
    expect(error.message).toContain(`read the manifest of ${registry}/team/app:v1`);
    const { diagnostics } = error.details as RegistryDetails;
    expect(diagnostics[0]).toBe("DENIED: go away");
    expect(diagnostics[2]).toMatch(/^secret builds\/bob: the token service .* answered 401/);
  });

  test("is not sent to where a redirect leads", async () => {
    const elsewhere = await serve();
    const { registry, reference } = await serve((request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
      else response.writeHead(307, { location: `http://${elsewhere.registry}/blob` }).end();
    });
    await client(registry, { credentials: holding(ann) }).getManifest(reference);
    expect(elsewhere.requests).toEqual(["GET /blob -"]);
  });
});

describe("a registry in trouble", () => {
  test("is asked again", async () => {
    let count = 0;
    const { registry, reference, requests } = await serve((request, response) => {
      if (++count === 1) response.writeHead(503).end();
      if (count === 2) request.socket.destroy();
    });
    expect((await client(registry).headManifest(reference))?.digest).toBe(digest);
    expect(requests).toHaveLength(3);
  });

  test.each([
    [500, "REGISTRY_UNAVAILABLE", true, 3],
    [429, "REGISTRY_UNAVAILABLE", true, 3],
    [400, "REGISTRY_REFUSED", false, 1],
  ])("is reported with status %i as %s", async (status, code, retryable, attempts) => {
    const body = `https://user:hunter2@host/ ${"x".repeat(100_000)}`;
    const { registry, reference, requests } = await serve((_, response) => void response.writeHead(status).end(body));
    const error = await failure(client(registry).getManifest(reference));
    expect(error).toMatchObject({ code, retryable, details: { registry, status } });
    expect(JSON.stringify(error).length).toBeLessThan(70_000);
    expect(requests).toHaveLength(attempts);
  });

  test("that nobody answers for is unavailable", async () => {
    const closed = createServer();
    const address = await listen(closed);
    closed.close();
    const error = await failure(client(address).headManifest(`${address}/app`));
    expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: true });
    expect(error.message).toMatch(/ECONNREFUSED/);
  });

  test("does not keep a caller who has left", async () => {
    const { registry, reference } = await serve(
      (_, response) => void response.writeHead(503, { "retry-after": "9" }).end(),
    );
    const error = await failure(client(registry).headManifest(reference, { signal: AbortSignal.timeout(100) }));
    expect(error.code).toBe("ABORTED");
  });
});

describe("over a stream", () => {
  test("a registry is asked that the network does not reach", async () => {
    const { registry: address, requests } = await serve();
    const [host = "", port = ""] = address.split(":");
    const dialed: string[] = [];
    const transport = createStreamTransport((_, url) => {
      dialed.push(url.host);
      return Promise.resolve(connect(Number(port), host));
    });
    const registryClient = client("registry.builds.svc:5000", { transport, http: true });
    expect((await registryClient.headManifest("registry.builds.svc:5000/app"))?.digest).toBe(digest);
    expect((await registryClient.getManifest("registry.builds.svc:5000/app"))?.digest).toBe(digest);
    // One stream serves one request after the other.
    expect(dialed).toEqual(["registry.builds.svc:5000"]);
    expect(requests).toHaveLength(2);
  });

  test("failures to dial, and streams that end early, are unavailable", async () => {
    const refusing = client("r.io", {
      transport: createStreamTransport(() => Promise.reject(new Error("no such pod"))),
    });
    expect(await failure(refusing.headManifest("r.io/app"))).toMatchObject({
      code: "REGISTRY_UNAVAILABLE",
      details: { diagnostics: ["no such pod"] },
    });
    const ending = await listen(createServer((request) => void request.socket.destroy()));
    const [host = "", port = ""] = ending.split(":");
    const transport = createStreamTransport(() => Promise.resolve(connect(Number(port), host)));
    expect((await failure(client("r.io", { transport, http: true }).getManifest("r.io/app"))).code).toBe(
      "REGISTRY_UNAVAILABLE",
    );
  });
});

describe("a body that does not end", () => {
  async function serveHalf(): Promise<{ host: string; port: number }> {
    const address = await listen(
      createServer((_, response) => void response.writeHead(200, { "content-length": 99 }).write("{")),
    );
    return { host: "127.0.0.1", port: Number(address.split(":")[1]) };
  }

  test.each(["fetch", "stream"])("lets a caller leave: %s", async (kind) => {
    const { host, port } = await serveHalf();
    const transport = kind === "stream" ? createStreamTransport(() => Promise.resolve(connect(port, host))) : undefined;
    const asked = client(`${host}:${port}`, { transport }).getManifest(`${host}:${port}/app`, {
      signal: AbortSignal.timeout(200),
    });
    expect((await failure(asked)).code).toBe("ABORTED");
  });

  test.each(["fetch", "stream"])("is unavailable once its connection is lost: %s", async (kind) => {
    const server = createServer((request, response) => {
      response.writeHead(200, { "content-length": 99 }).write("{", () => request.socket.destroy());
    });
    const registry = await listen(server);
    const [host = "", port = ""] = registry.split(":");
    const transport =
      kind === "stream" ? createStreamTransport(() => Promise.resolve(connect(Number(port), host))) : undefined;
    expect((await failure(client(registry, { transport }).getManifest(`${registry}/app`))).code).toBe(
      "REGISTRY_UNAVAILABLE",
    );
  });

  test("closes the stream when the manifest has been read", async () => {
    const { registry, reference } = await serve();
    const [host = "", port = ""] = registry.split(":");
    const stream = connect(Number(port), host);
    await client(registry, { transport: createStreamTransport(() => Promise.resolve(stream)) }).headManifest(reference);
    await vi.waitFor(() => expect(stream.destroyed).toBe(true), { timeout: 30_000 });
  });
});

describe("over TLS", () => {
  const names = [
    "IP:127.0.0.1",
    ...["localhost", "registry.builds.svc", "storage.builds.svc"].map((name) => `DNS:${name}`),
  ];

  async function serveTls(listener: RequestListener): Promise<{ address: string; port: string; ca: string }> {
    const { key, cert } = createCertificate(...names);
    const address = await listen(createTlsServer({ key, cert }, listener));
    return { address, port: address.replace(/.*:/, ""), ca: cert };
  }

  /** A proxy that opens tunnels to ports of this machine, whatever the host is called. */
  async function startProxy(portOf = (target: string) => target.replace(/.*:/, "")) {
    const tunnels: string[] = [];
    const proxy = createServer().on("connect", ({ url = "" }: IncomingMessage, socket: Duplex) => {
      tunnels.push(url);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      const upstream = connect(Number(portOf(url)), "127.0.0.1");
      for (const end of [upstream, socket]) end.on("error", () => [upstream, socket].map((other) => other.destroy()));
      upstream.pipe(socket).pipe(upstream);
    });
    return { proxy: await listen(proxy), tunnels };
  }

  test("a private certificate authority is accepted where it is given, else named as the remedy", async () => {
    const { address, ca } = await serveTls(serveManifest);
    const reference = `${address}/app`;
    expect((await client(address, { http: false, ca }).getManifest(reference))?.digest).toBe(digest);
    const error = await failure(client(address, { http: false }).headManifest(reference));
    expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: false });
    expect(error.message).toMatch(/`ca`/);
  });

  test("streams check the name of the certificate", async () => {
    const { address, ca } = await serveTls(serveManifest);
    const [host = "", port = ""] = address.split(":");
    const transport = createStreamTransport(() => Promise.resolve(connect(Number(port), host)), { tls: { ca } });
    expect((await client("registry.builds.svc", { transport }).headManifest("registry.builds.svc/app"))?.digest).toBe(
      digest,
    );
    expect((await failure(client("other.svc", { transport }).headManifest("other.svc/app"))).message).toMatch(/`ca`/);
  });

  test("a certificate is not checked where that is said", async () => {
    const { address } = await serveTls(serveManifest);
    const reference = `${address}/app`;
    expect((await client(address, { http: false, insecure: true }).getManifest(reference))?.digest).toBe(digest);
    const [host = "", port = ""] = address.split(":");
    const transport = createStreamTransport(() => Promise.resolve(connect(Number(port), host)), {
      tls: { insecure: true },
    });
    expect((await client("other.svc", { transport }).headManifest("other.svc/app"))?.digest).toBe(digest);
  });

  test("goes through the tunnel of a proxy, which keeps it for the next request", async () => {
    const { port, ca } = await serveTls(serveManifest);
    const { proxy, tunnels } = await startProxy(() => port);
    const options = { proxy, ca };
    await using registryClient = client("registry.builds.svc", options);
    expect((await registryClient.headManifest("registry.builds.svc/app"))?.digest).toBe(digest);
    expect((await registryClient.getManifest("registry.builds.svc/app"))?.digest).toBe(digest);
    expect(tunnels).toEqual(["registry.builds.svc:443"]);
    const stranger = client("other.svc", { ...options, retryDelaysMs: [] });
    expect((await failure(stranger.headManifest("other.svc/app"))).message).toMatch(/`ca`/);
  });

  test("a registry that speaks plain HTTP is told apart", async () => {
    const { registry, reference } = await serve();
    expect((await failure(client(registry, { http: false }).headManifest(reference))).message).toMatch(/http: true/);
  });

  interface Trust {
    readonly ca?: string;
    readonly insecure?: boolean;
  }
  const here = { own: "localhost", other: "127.0.0.1" };
  const elsewhere = { own: "registry.builds.svc", other: "storage.builds.svc" };
  const dialHere = async (_: AbortSignal, { port }: URL) => connect(Number(port), "127.0.0.1");
  const ways = [
    { way: "directly", ...here, open: async (trust: Trust) => createNetworkTransport({ ...trust, proxy: false }) },
    {
      ...{ way: "through a proxy", ...elsewhere },
      open: async (trust: Trust) => createNetworkTransport({ ...trust, ...(await startProxy()) }),
    },
    {
      way: "over streams",
      ...elsewhere,
      open: async (trust: Trust) => createStreamTransport(dialHere, { tls: trust }),
    },
  ];

  describe.each(ways)("$way", ({ own, other, open }) => {
    /** A registry that leads to another host with a certificate of its own. */
    async function serveBoth(answer: (to: string) => RequestListener) {
      const seen: string[] = [];
      const storage = await serveTls(({ method, headers }, response) => {
        seen.push(`${method} ${headers.authorization ?? "-"}`);
        response.end(manifest);
      });
      const to = `https://${other}:${storage.port}`;
      const registry = await serveTls(answer(to));
      return { ...registry, registry: `${own}:${registry.port}`, to, seen, storage };
    }

    async function readBlob(registry: string, trust: Trust): Promise<string> {
      await using registryClient = client(registry, { http: false, transport: await open(trust) });
      const received: Uint8Array[] = [];
      for await (const part of (await registryClient.getBlob("app", digest))?.chunks ?? []) received.push(part);
      return Buffer.concat(received).toString();
    }

    const redirectTo =
      (to: string): RequestListener =>
      (_, response) =>
        response.writeHead(307, { location: `${to}/blob` }).end();

    test("a token service on another host is sent no password where nobody vouches for it", async () => {
      const { registry, to, seen } = await serveBoth(
        (realm) => (_, response) =>
          response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}/token"` }).end(),
      );
      const transport = await open({ insecure: true });
      const options = { http: false, transport, credentials: holding(ann) };
      const error = await failure(client(registry, options).headManifest(`${registry}/app`));
      expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: false });
      expect(error.message).toContain(`no answer from ${to}, where ${registry} leads (DEPTH_ZERO_SELF_SIGNED_CERT`);
      expect(seen).toEqual([]);
    });

    test("a private authority is trusted beside the usual ones, wherever the registry leads", async () => {
      const { registry, ca, storage } = await serveBoth(redirectTo);
      expect(await readBlob(registry, { ca: ca + storage.ca })).toBe(manifest.toString());
      const usual = tls.getCACertificates("default");
      cleanups.push(() => tls.setDefaultCACertificates(usual));
      tls.setDefaultCACertificates([...usual, storage.ca]);
      expect(await readBlob(registry, { ca })).toBe(manifest.toString());
    });

    test("storage with a certificate that nobody knows is named, and the remedy is its own", async () => {
      const { registry, ca, to, seen } = await serveBoth(redirectTo);
      for (const trust of [{ ca }, { ca, insecure: true }]) {
        const { message } = await failure(readBlob(registry, trust));
        expect(message).toContain(`no answer from ${to}, where ${registry} leads (`);
        expect(message).toMatch(/add it to `ca`/);
        expect(message).not.toMatch(/authority of the registry|insecure/);
      }
      expect(seen).toEqual([]);
    });

    test("a connection that was not checked serves nobody who wants that", async () => {
      const { port } = await serveTls((request, response) => {
        // The next one has to begin where this connection leaves off, or anew.
        if (request.url === "/last") response.setHeader("connection", "close");
        response.end();
      });
      const transport = await open({ insecure: true });
      const ask = async (path: string, registryHost?: string) => {
        const url = new URL(`https://${own}:${port}/${path}`);
        const signal = AbortSignal.timeout(20_000);
        return (await transport({ method: "HEAD", url, headers: {}, signal, registryHost })).status;
      };
      for (const path of ["kept", "last"]) {
        expect(await ask(path)).toBe(200);
        expect(await ask(path, own)).toBe(200);
        await expect(ask(path, "another.example.com")).rejects.toThrow(/self-signed/);
      }
      await transport.close?.();
    });
  });

  test("a name that the certificate of the registry must have is not asked of others", async () => {
    const serveAs = async (name: string, listener: RequestListener) => {
      const { key, cert } = createCertificate(`DNS:${name}`);
      return { port: (await listen(createTlsServer({ key, cert }, listener))).replace(/.*:/, ""), ca: cert };
    };
    const storage = await serveAs("storage.builds.svc", (_, response) => response.end(manifest));
    const location = `https://storage.builds.svc:${storage.port}/blob`;
    const registry = await serveAs("inner.example.com", (_, response) => response.writeHead(307, { location }).end());
    const trust = { ca: registry.ca + storage.ca, servername: "inner.example.com" };
    await using registryClient = client(`registry.builds.svc:${registry.port}`, {
      transport: createStreamTransport(dialHere, { tls: trust }),
    });
    expect((await registryClient.getBlob("app", digest))?.sizeBytes).toBe(manifest.length);
  });

  test("`insecure` holds for mirrors, each for its own host", async () => {
    const registry = await serveTls((_, response) => response.writeHead(404).end());
    const mirror = await serveTls(serveManifest);
    const name = `registry.builds.svc:${registry.port}`;
    const mirrors = [`storage.builds.svc:${mirror.port}`];
    const transport = createStreamTransport(dialHere, { tls: { insecure: true } });
    expect((await client(name, { transport, mirrors }).getManifest(`${name}/app`))?.digest).toBe(digest);
  });
});
