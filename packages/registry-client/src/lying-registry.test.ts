import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { inspect, promisify } from "node:util";

import { BuilderError } from "@slipway/core/errors";
import type { Keychain } from "@slipway/core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { createRegistryClient, createStreamTransport } from "./index.ts";
import type { RegistryClientOptions, RegistryTransport } from "./index.ts";
import { askLiar, lies } from "./lying-registry/lies.ts";

vi.setConfig({ maxConcurrency: 64, testTimeout: 60_000 });

const limitMs = 30_000;
const maxGrowthBytes = 64 * 1024 * 1024;

const credentials: Keychain = {
  resolve: async () => [{ source: "secret builds/ann", type: "basic", username: "ann", password: "hunter2" }],
};

const liar = createServer((request, response) => {
  const [, , repository, ...path] = (request.url ?? "").split(/[/?]/);
  response.on("error", () => undefined);
  const lie = lies.find((found) => found.repository === repository);
  if (lie === undefined) response.writeHead(404).end();
  else lie.answer(request, response, path[0] ?? "");
});
let registry = "";
let port = 0;
/** Runs beside the tests: most of its time it waits. */
let measurement: Promise<{ growthBytes: number; codes: Record<string, string> }>;

async function measureMemory(): Promise<Awaited<typeof measurement>> {
  const script = fileURLToPath(new URL("lying-registry/measure-memory.ts", import.meta.url));
  const argv = ["--expose-gc", "--conditions=@slipway/source", script, registry];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 90_000 });
  return JSON.parse(stdout) as Awaited<typeof measurement>;
}

beforeAll(async () => {
  liar.listen(0, "127.0.0.1");
  await once(liar, "listening");
  port = (liar.address() as AddressInfo).port;
  registry = `127.0.0.1:${port}`;
  measurement = measureMemory();
  measurement.catch(() => undefined);
});

afterAll(() => {
  liar.closeAllConnections();
  liar.close();
});

async function failure(promise: Promise<unknown>): Promise<BuilderError> {
  const error: unknown = await promise.then(
    (value) => new Error(`believed: ${inspect(value)}`),
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error)) throw error;
  expect(inspect(error, { depth: 10 })).not.toMatch(/hunter2|aHVudGVyMg/);
  return error;
}

describe.concurrent("a registry that lies", () => {
  for (const lie of lies)
    test(`LYING-REGISTRY: ${lie.name} is ${lie.code} within 30 s`, async () => {
      await using client = createRegistryClient({ registry, credentials });
      const startedMs = performance.now();
      const error = await failure(askLiar(client, lie));
      expect(performance.now() - startedMs).toBeLessThan(limitMs);
      expect(error.code).toBe(lie.code);
      expect(error.message).toMatch(lie.says);
    });
});

describe("what is dialled", () => {
  /** Everything is reached at the liar's port, and all that is dialled is noted. */
  function recordingTransport(dialed: string[], to = () => port): RegistryTransport {
    return createStreamTransport(async (_, url) => {
      dialed.push(url.host);
      const stream = connect(to(), "127.0.0.1");
      await once(stream, "connect");
      return stream;
    });
  }

  const leading = lies.filter(({ dialled }) => dialled === false);

  test.each(leading)("LYING-REGISTRY: $name is not dialled", async (lie) => {
    const dialed: string[] = [];
    const transport = recordingTransport(dialed);
    const inner = "registry.builds.svc:5000";
    const client = createRegistryClient({ registry: inner, http: true, transport, credentials });
    await failure(askLiar(client, lie));
    // The registry itself lies in the inner network, which is its own business.
    expect(new Set(dialed)).toEqual(new Set([inner]));
  });

  test("LYING-REGISTRY: a name that turns out to be at a private address is not connected to", async () => {
    const checked: string[] = [];
    const rebinding: RegistryTransport = (request) => {
      checked.push(request.url.host);
      request.checkAddress?.(request.url.host === "registry.example.com" ? "203.0.113.7" : "10.0.0.5");
      const headers = new Map([["location", "https://cdn.example.net/blob"]]);
      const response = {
        status: 307,
        ok: false,
        headers: { get: (name: string) => headers.get(name) ?? null },
        body: null,
      };
      return Promise.resolve(response);
    };
    const client = createRegistryClient({ registry: "registry.example.com", transport: rebinding });
    const error = await failure(client.getManifest("registry.example.com/app:1"));
    expect(error).toMatchObject({ code: "REGISTRY_REFUSED" });
    expect(error.message).toContain("leads to 10.0.0.5");
    expect(checked).toEqual(["registry.example.com", "cdn.example.net"]);
  });

  test("LYING-REGISTRY: a registry whose name moves behind the firewall is not followed there", async () => {
    const addresses = ["203.0.113.7", "169.254.169.254", "10.0.0.5", "127.0.0.1"];
    const rebinding: RegistryTransport = async (request) => {
      request.checkAddress?.(addresses.shift() ?? "");
      return { status: 404, ok: false, headers: { get: () => null }, body: null };
    };
    const client = createRegistryClient({ registry: "registry.example.com", transport: rebinding });
    expect(await client.headManifest("registry.example.com/app:1")).toBeUndefined();
    for (const address of ["169.254.169.254", "10.0.0.5", "127.0.0.1"]) {
      const error = await failure(client.headManifest("registry.example.com/app:1"));
      expect(error.message).toContain(`leads to ${address}`);
    }
  });

  test("LYING-REGISTRY: over streams nothing leads by plain HTTP to a name whose address nobody can check", async () => {
    const server = createServer((_, response) => {
      response.writeHead(307, { location: "http://inner.example.org/latest" }).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const dialed: string[] = [];
    const transport = recordingTransport(dialed, () => (server.address() as AddressInfo).port);
    await using client = createRegistryClient({ registry: "registry.example.com", http: true, transport });
    const error = await failure(client.getManifest("registry.example.com/app:1"));
    expect(error).toMatchObject({ code: "REGISTRY_REFUSED" });
    expect(error.message).toContain("leads to inner.example.org");
    expect(new Set(dialed)).toEqual(new Set(["registry.example.com"]));
    server.closeAllConnections();
    server.close();
  });

  test.each(["Basic", "Bearer"])(
    "LYING-REGISTRY: a redirect and an upload to another host get no %s",
    async (scheme) => {
      const seen: string[] = [];
      const answer = (request: IncomingMessage, response: ServerResponse): void => {
        const { host = "", authorization } = request.headers;
        seen.push(`${request.method} ${host} ${authorization?.split(" ")[0] ?? "-"}`);
        if (host === "tokens.example.net") return void response.end('{"token":"t0"}');
        if (host !== "registry.example.com") return void response.writeHead(200).end('{"schemaVersion":2}');
        if (authorization?.startsWith(scheme) !== true) {
          const realm = 'realm="http://tokens.example.net/",service="x"';
          return void response.writeHead(401, { "www-authenticate": `${scheme} ${realm}` }).end();
        }
        const [status, location] = request.method === "POST" ? [202, "upload"] : [307, "blob"];
        response.writeHead(status, { location: `http://cdn.example.org/${location}` }).end();
      };
      const server = createServer(answer).listen(0, "127.0.0.1");
      await once(server, "listening");
      const dialed: string[] = [];
      const transport = recordingTransport(dialed, () => (server.address() as AddressInfo).port);
      const name = "registry.example.com";
      const guard = { allow: ["cdn.example.org", "tokens.example.net"] };
      await using client = createRegistryClient({ registry: name, http: true, transport, credentials, guard });
      await client.getManifest(`${name}/app:1`);
      const started = await client.startUpload("app");
      if (started !== "mounted") await started.write(Buffer.from("layer"));
      server.closeAllConnections();
      server.close();
      const elsewhere = seen.filter((line) => line.includes("cdn.example.org"));
      expect(elsewhere).toEqual(["GET cdn.example.org -", "PATCH cdn.example.org -"]);
      expect(seen).toContain(`GET ${name} ${scheme}`);
      expect(new Set(dialed)).toEqual(
        new Set([name, "cdn.example.org", ...(scheme === "Bearer" ? ["tokens.example.net"] : [])]),
      );
    },
  );

  test("LYING-REGISTRY: what is allowed is reached, whatever it is", async () => {
    const dialed: string[] = [];
    const transport = recordingTransport(dialed);
    const lie = leading.find(({ name }) => name === "a redirect to a private address");
    if (lie === undefined) throw new Error("no such lie");
    const options: RegistryClientOptions = { registry: "registry.builds.svc:5000", http: true, transport };
    await askLiar(createRegistryClient({ ...options, guard: { allow: ["10.0.0.1"] } }), lie).catch(() => undefined);
    expect(dialed).toContain("10.0.0.1");
    dialed.length = 0;
    await askLiar(createRegistryClient({ ...options, guard: false }), lie).catch(() => undefined);
    expect(dialed).toContain("10.0.0.1");
  });
});

test("LYING-REGISTRY: all lies at once take at most 64 MB of memory", { timeout: 120_000 }, async () => {
  const { growthBytes, codes } = await measurement;
  console.log(`LYING-REGISTRY: ${lies.length} lies at once, RSS grew by ${(growthBytes / 1024 / 1024).toFixed(1)} MiB`);
  expect(codes).toEqual(Object.fromEntries(lies.map(({ repository, code }) => [repository, code])));
  expect(growthBytes).toBeLessThanOrEqual(maxGrowthBytes);
});
