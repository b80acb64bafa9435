import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { inspect } from "node:util";

import { BuilderError } from "@slipway/core/errors";
import type { Credential, Keychain } from "@slipway/core";
import { afterEach, describe, expect, test, vi } from "vitest";

import { startLocalServer } from "./__fixtures__/local-server.ts";
import { createRegistryClient } from "./index.ts";
import type { RegistryClient, RegistryClientOptions } from "./index.ts";
import { computeDigest } from "./manifest.ts";

vi.setConfig({ testTimeout: 60_000 });

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function serve(handle: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
  const server = await startLocalServer((request, response, body) => handle(request, response, body.toString()));
  cleanups.push(() => server[Symbol.dispose]());
  return server.host;
}

interface TokenRequest {
  readonly method: string;
  readonly login: string;
  readonly scopes: readonly string[];
}

interface TokenRegistryOptions {
  /** Password by user, and what each may do: `app:pull,push`. Whoever is not here gets no token. */
  readonly users?: Record<string, { password: string; rights: readonly string[] }>;
  readonly lifetimeSeconds?: number;
  /** Tells those who may not see a repository that it is not there. */
  readonly hides?: boolean;
  /** Answers of the token service to POST. */
  readonly postStatus?: number;
  readonly refreshTokens?: Record<string, string>;
}

/** A registry with a token service. A token is the list of the scopes it is good for. */
async function tokenRegistry(options: TokenRegistryOptions = {}) {
  const { users = { ann: { password: "hunter2", rights: ["app:pull,push", "base:pull"] } } } = options;
  const asked: TokenRequest[] = [];
  const served: string[] = [];
  let count = 0;
  const realm = await serve((request, response, body) => {
    const { searchParams } = new URL(request.url ?? "", "http://token");
    const form = new URLSearchParams(body);
    const [user = "", password = ""] = Buffer.from(request.headers.authorization?.slice(6) ?? "", "base64")
      .toString()
      .split(":");
    const refreshed = options.refreshTokens?.[form.get("refresh_token") ?? password];
    const scopes = [...searchParams.getAll("scope"), ...(form.get("scope")?.split(" ") ?? [])];
    asked.push({ method: request.method ?? "", login: refreshed ?? user, scopes });
    if (request.method === "POST" && options.postStatus !== undefined)
      return void response.writeHead(options.postStatus).end();
    const found = users[refreshed ?? user];
    if (found === undefined || (refreshed === undefined && found.password !== password))
      return void response.writeHead(401).end('{"details":"incorrect username or password"}');
    const granted = scopes.map((scope) => grant(scope, found.rights));
    const token = Buffer.from(JSON.stringify([granted, ++count])).toString("base64url");
    response.end(JSON.stringify({ token, expires_in: options.lifetimeSeconds }));
  });
  const registry = await serve((request, response) => {
    const { method = "", url = "", headers } = request;
    const [, repository = ""] = /^\/v2\/(.*?)\/(?:manifests|blobs)\//.exec(url) ?? [];
    const action = method === "DELETE" ? "delete" : method === "GET" || method === "HEAD" ? "pull" : "push";
    const needed = [
      `repository:${repository}:${action === "push" ? "pull,push" : action}`,
      ...(/from=(\w+)/.exec(url)?.slice(1) ?? []).map((from) => `repository:${from}:pull`),
    ];
    const token = headers.authorization?.slice(7) ?? "";
    const granted = token === "" ? [] : (JSON.parse(Buffer.from(token, "base64url").toString()) as [string[]])[0];
    served.push(`${method} ${url} ${token === "" ? "-" : granted.join(" ")}`);
    if (needed.every((scope) => granted.includes(scope))) {
      answer(method, response);
      return;
    }
    if (options.hides === true && token !== "") return void response.writeHead(404).end();
    const scope = needed.join(" ");
    const error = token === "" ? "" : ',error="insufficient_scope"';
    response.writeHead(401, {
      "www-authenticate": `Bearer realm="http://${realm}/token",service="x",scope="${scope}"${error}`,
    });
    response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
  });
  return { registry, asked, served };
}

function grant(scope: string, rights: readonly string[]): string {
  const [, name = "", actions = ""] = scope.split(":");
  const right = rights.find((entry) => entry.startsWith(`${name}:`))?.split(":")[1] ?? "";
  const granted = actions.split(",").filter((action) => right.split(",").includes(action));
  return `repository:${name}:${granted.join(",")}`;
}

function answer(method: string, response: ServerResponse): void {
  if (method === "POST") response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
  else if (method === "DELETE") response.writeHead(202).end();
  else if (method === "PUT") response.writeHead(201).end();
  else response.end(method === "HEAD" ? undefined : '{"schemaVersion":2}');
}

const ann: Credential = { source: "secret builds/ann", type: "basic", username: "ann", password: "hunter2" };
const bob: Credential = { source: "secret builds/bob", type: "basic", username: "bob", password: "hunter3" };

function holding(...credentials: Credential[]): Keychain {
  return { resolve: async () => credentials };
}

function client(registry: string, options: Partial<RegistryClientOptions> = {}): RegistryClient {
  return createRegistryClient({ registry, retryDelaysMs: [1], credentials: holding(ann), ...options });
}

const read = (registryClient: RegistryClient, repository = "app") =>
  registryClient.getManifest({ registry: registryClient.registry, repository, tag: "v1" });

async function failure(promise: Promise<unknown>): Promise<BuilderError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error)) throw new Error(`unexpected ${inspect(error)}`);
  expect(inspect(error, { depth: 10 })).not.toMatch(/hunter[23]/);
  return error;
}

const bytes = Buffer.from('{"schemaVersion":2}');
const mediaType = "application/vnd.oci.image.manifest.v1+json";

describe("tokens", () => {
  test("are for what a request needs: reading, pushing, deleting, mounting", async () => {
    const rights = ["app:pull,push,delete", "base:pull"];
    const { registry, asked } = await tokenRegistry({ users: { ann: { password: "hunter2", rights } } });
    const registryClient = client(registry);
    await read(registryClient);
    await registryClient.putManifest(`${registry}/app:v1`, { mediaType, bytes });
    await registryClient.deleteManifest(`${registry}/app@sha256:${"0".repeat(64)}`);
    await registryClient.startUpload("app", { mount: { digest: computeDigest(Buffer.from("layer")), from: "base" } });
    expect(asked.map(({ scopes }) => scopes.join(" "))).toEqual([
      "repository:app:pull",
      "repository:app:pull,push",
      "repository:app:delete",
      "repository:app:pull,push repository:base:pull",
    ]);
  });

  test("are asked for once by those who need the same at the same time", async () => {
    const { registry, asked, served } = await tokenRegistry();
    const registryClient = client(registry);
    await Promise.all(Array.from({ length: 8 }, () => read(registryClient)));
    expect(asked).toHaveLength(1);
    // One finds out how to authorize; nobody else is refused.
    expect(served.filter((line) => line.endsWith(" -"))).toHaveLength(1);
  });

  test("are asked for once also by those who store something, each of which finds out for itself", async () => {
    const { registry, asked } = await tokenRegistry();
    const registryClient = client(registry);
    const tags = Array.from({ length: 8 }, (_, index) => `${registry}/app:v${index}`);
    await Promise.all(tags.map((tag) => registryClient.putManifest(tag, { mediaType, bytes })));
    expect(asked).toHaveLength(1);
  });

  test("are renewed before they expire", async () => {
    const { registry, asked, served } = await tokenRegistry({ lifetimeSeconds: 100 });
    const registryClient = client(registry);
    await read(registryClient);
    const now = Date.now();
    const clock = vi.spyOn(Date, "now").mockReturnValue(now + 89_000);
    cleanups.push(() => clock.mockRestore());
    await read(registryClient);
    expect(asked).toHaveLength(1);
    clock.mockReturnValue(now + 91_000);
    await read(registryClient);
    expect(asked).toHaveLength(2);
    // Nothing was refused on the way.
    expect(served.filter((line) => line.endsWith(" -"))).toHaveLength(1);
  });

  test("live a minute when their service does not say for how long", async () => {
    const { registry, asked } = await tokenRegistry();
    const registryClient = client(registry);
    await read(registryClient);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 55_000);
    cleanups.push(() => clock.mockRestore());
    await read(registryClient);
    expect(asked).toHaveLength(2);
  });

  test("are asked for again, once, with the scopes that turn out to be missing", async () => {
    const scopes: string[][] = [];
    const realm = await serve((request, response) => {
      scopes.push(new URL(request.url ?? "", "http://token").searchParams.getAll("scope"));
      response.end(`{"token":"t${scopes.length}"}`);
    });
    const registry = await serve((request, response) => {
      const missing = request.headers.authorization === undefined ? "app" : "base";
      const parameters = `realm="http://${realm}/token",scope="repository:${missing}:pull"`;
      const error = missing === "base" ? ',error="insufficient_scope"' : "";
      response.writeHead(401, { "www-authenticate": `Bearer ${parameters}${error}` }).end();
    });
    expect((await failure(read(client(registry)))).code).toBe("REGISTRY_UNAUTHORIZED");
    const [app, base] = ["repository:app:pull", "repository:base:pull"];
    // The same for each candidate: somebody, and nobody.
    expect(scopes).toEqual([[app], [app, base], [app], [app, base]]);
  });

  test.each([404, 405, 401])(
    "for identity tokens are asked for by GET where POST is answered with %i",
    async (postStatus) => {
      const { registry, asked } = await tokenRegistry({ postStatus, refreshTokens: { refresh: "ann" } });
      const credentials = holding({ source: "cloud", type: "identity-token", token: "refresh" });
      expect(await read(client(registry, { credentials }))).toBeDefined();
      expect(asked.map(({ method }) => method)).toEqual(["POST", "GET"]);
    },
  );
});

describe("candidates", () => {
  test("are tried until one may, and the one that may is remembered by what it was for", async () => {
    const users = {
      ann: { password: "hunter2", rights: ["app:pull"] },
      bob: { password: "hunter3", rights: ["app:pull,push"] },
    };
    const { registry, asked } = await tokenRegistry({ users });
    const registryClient = client(registry, { credentials: holding(ann, bob) });
    await read(registryClient);
    await registryClient.putManifest(`${registry}/app:v1`, { mediaType, bytes });
    await read(registryClient);
    await registryClient.putManifest(`${registry}/app:v1`, { mediaType, bytes });
    expect(asked.map(({ login, scopes }) => `${login} ${scopes.join()}`)).toEqual([
      "ann repository:app:pull",
      "ann repository:app:pull,push",
      "bob repository:app:pull,push",
    ]);
  });

  test("are all tried where a repository may be hidden, unless one has seen it", async () => {
    const users = {
      ann: { password: "hunter2", rights: ["base:pull"] },
      bob: { password: "hunter3", rights: ["app:pull"] },
    };
    const { registry, asked } = await tokenRegistry({ users, hides: true });
    const registryClient = client(registry, { credentials: holding(ann, bob) });
    expect(await read(registryClient, "app")).toBeDefined();
    expect(await read(registryClient, "base")).toBeDefined();
    expect(await read(registryClient, "none")).toBeUndefined();
    expect(asked.map(({ login, scopes }) => `${login} ${scopes.join()}`)).toEqual([
      "ann repository:app:pull",
      "bob repository:app:pull",
      "ann repository:base:pull",
      "ann repository:none:pull",
      "bob repository:none:pull",
    ]);
  });

  test("of one source are told apart where a repository may be hidden", async () => {
    const users = {
      ann: { password: "hunter2", rights: [] },
      bob: { password: "hunter3", rights: ["app:pull"] },
    };
    const { registry } = await tokenRegistry({ users, hides: true });
    const held: Credential[] = [ann];
    const registryClient = client(registry, { credentials: { resolve: () => Promise.resolve(held) } });
    expect(await read(registryClient, "app")).toBeUndefined();
    held.push({ ...bob, source: ann.source });
    expect(await read(registryClient, "app")).toBeDefined();
  });

  test("tell, by a check, which of them a registry takes, and whether the image is there", async () => {
    const stale: Credential = { ...ann, source: "secret builds/stale", password: "hunter3" };
    const { registry } = await tokenRegistry();
    const registryClient = client(registry, { credentials: holding(stale, ann) });
    for (const _ of ["found out", "known"]) {
      const checks = [await registryClient.checkPush("app"), await registryClient.checkPull(`${registry}/base`)];
      for (const check of checks) {
        expect(check?.source).toBe(ann.source);
        expect(check?.credential).toBe(ann);
        expect([inspect(check), JSON.stringify(check), inspect(structuredClone(check))].join()).not.toContain(
          ann.password,
        );
      }
    }
    expect((await failure(registryClient.checkPull(`${registry}/other`))).code).toBe("REGISTRY_UNAUTHORIZED");
    const hiding = await tokenRegistry({ hides: true });
    expect(await client(hiding.registry).checkPull(`${hiding.registry}/other`)).toBeUndefined();
  });

  test("are named in the error, each with what was answered to it", async () => {
    const { registry } = await tokenRegistry();
    const helper: Credential = {
      source: "secret builds/ecr",
      type: "helper",
      helper: "ecr-login",
      serverUrl: registry,
    };
    const stale: Credential = { ...ann, source: "secret builds/stale", password: "hunter3" };
    const registryClient = client(registry, { credentials: holding(helper, stale, bob, ann) });
    const error = await failure(registryClient.checkPush("other"));
    expect(error).toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      details: { status: 401, triedCredentials: [helper.source, stale.source, bob.source, ann.source] },
    });
    expect(error.message).toMatch(
      /secret builds\/ecr: docker-credential-ecr-login runs only where the builder lives; secret builds\/stale: the token service \S+ answered 401 \(incorrect username or password\); .*secret builds\/ann: 401 \(UNAUTHORIZED: authentication required\)\. Give/,
    );
  });

  test("that are refused are followed by nobody, for reading alone, and with a warning", async () => {
    const everybody = await serve((request, response) => {
      if (request.headers.authorization === undefined && request.method !== "PUT") response.end('{"schemaVersion":2}');
      else response.writeHead(401, { "www-authenticate": "Basic" }).end();
    });
    expect(await read(client(everybody))).toBeDefined();
    const users = { "": { password: "", rights: ["app:pull"] } };
    const { registry } = await tokenRegistry({ users });
    const warnings: string[] = [];
    const registryClient = client(registry, { keychainCall: { warn: (message) => warnings.push(message) } });
    expect(await read(registryClient)).toBeDefined();
    expect(warnings).toEqual([expect.stringMatching(/let nobody in particular read .* secret builds\/ann: the token/)]);
    expect(await registryClient.checkPull(`${registry}/app`)).toMatchObject({ refused: [ann.source] });
    // Where nobody was asked who they are, nobody was refused.
    expect(await client(everybody).checkPull(`${everybody}/app`)).toEqual({ source: "anonymous access" });
    const error = await failure(registryClient.checkPush("app"));
    expect(error.details).toMatchObject({ triedCredentials: [ann.source] });
  });

  test("without any, the error says that there are none", async () => {
    const { registry } = await tokenRegistry({ users: {} });
    const error = await failure(client(registry, { credentials: holding() }).checkPush("app"));
    expect(error.message).toMatch(/Tried anonymous access: the token service/);
  });

  test("are asked for anew as soon as the ones in use are refused", async () => {
    let password = "old";
    const seen: string[] = [];
    const registry = await serve((request, response) => {
      const [, given = ""] = Buffer.from(request.headers.authorization?.slice(6) ?? "", "base64")
        .toString()
        .split(":");
      seen.push(given);
      if (given === password) response.end('{"schemaVersion":2}');
      else response.writeHead(401, { "www-authenticate": "Basic" }).end();
    });
    const credentials: Keychain = { resolve: async () => [{ ...ann, password }] };
    const registryClient = client(registry, { credentials });
    await read(registryClient);
    password = "new";
    await read(registryClient);
    expect(seen).toEqual(["", "old", "old", "new"]);
  });

  test("get the Basic way where tokens are offered and do not work", async () => {
    const registry = await serve((request, response) => {
      if (request.headers.authorization?.startsWith("Basic ") === true) return void response.end('{"schemaVersion":2}');
      const header = ['Bearer realm="ftp://nowhere",service="x"', 'Basic realm="x"'];
      response.writeHead(401, { "www-authenticate": header }).end();
    });
    expect(await read(client(registry))).toBeDefined();
  });
});

describe("a request that waits for what another one finds out", () => {
  test("leaves when its own signal fires", async () => {
    let held: ServerResponse | undefined;
    const registry = await serve((request, response) => {
      if (held === undefined && request.method === "GET") held = response;
      else response.end('{"schemaVersion":2}');
    });
    const registryClient = client(registry);
    const first = read(registryClient);
    await vi.waitFor(() => expect(held).toBeDefined());
    const leaving = new AbortController();
    const second = registryClient.getManifest({ registry, repository: "app", tag: "2" }, { signal: leaving.signal });
    const left = failure(second);
    leaving.abort(new Error("the test leaves"));
    expect((await left).code).toBe("ABORTED");
    held?.end('{"schemaVersion":2}');
    expect(await first).toBeDefined();
  });

  test("does not wait for one that stores something", async () => {
    const tokens: string[] = [];
    let stored: (() => void) | undefined;
    const realm = await serve((_, response) => {
      tokens.push(`t${tokens.length}`);
      response.end(JSON.stringify({ token: tokens.at(-1), expires_in: 100 }));
    });
    const registry = await serve((request, response) => {
      if (request.headers.authorization !== `Bearer ${tokens.at(-1)}`)
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${realm}/token"` }).end();
      else if (request.method === "PUT") stored = () => void response.writeHead(201).end();
      else response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
    });
    const registryClient = client(registry, { answerTimeoutMs: 5_000 });
    const upload = await registryClient.startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 101_000);
    cleanups.push(() => clock.mockRestore());
    const finishing = upload.finish(computeDigest(Buffer.from("layer")), { chunk: Buffer.from("layer") });
    const beside = registryClient.startUpload("app", { signal: AbortSignal.timeout(5_000) });
    expect(await beside).not.toBe("mounted");
    expect(tokens).toHaveLength(2);
    await vi.waitFor(() => expect(stored).toBeDefined());
    stored?.();
    await finishing;
  });

  test("has all its own time afterwards", async () => {
    const held: (() => void)[] = [];
    const registry = await serve((_, response) => void held.push(() => void response.end('{"schemaVersion":2}')));
    const [first, registryClient] = [new AbortController(), client(registry, { answerTimeoutMs: 1_000 })];
    const leaving = failure(registryClient.getManifest(`${registry}/app:1`, first));
    await vi.waitFor(() => expect(held).toHaveLength(1));
    const second = read(registryClient);
    await delay(600);
    first.abort();
    await vi.waitFor(() => expect(held).toHaveLength(2));
    await delay(600);
    held[1]?.();
    expect(await second).toBeDefined();
    expect((await leaving).code).toBe("ABORTED");
  });

  test("waits for a token no longer than for an answer, also when what stores something asks for it", async () => {
    let isOver = false;
    const realm = await serve((_, response) => {
      if (!isOver) response.end(JSON.stringify({ token: "t", expires_in: 100 }));
    });
    const registry = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        response.writeHead(401, { "www-authenticate": `Bearer realm="http://${realm}/token"` }).end();
      else response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
    });
    const registryClient = client(registry, { answerTimeoutMs: 200, retryDelaysMs: [] });
    const upload = await registryClient.startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    isOver = true;
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 101_000);
    cleanups.push(() => clock.mockRestore());
    const finishing = failure(upload.finish(computeDigest(Buffer.from("layer")), { chunk: Buffer.from("layer") }));
    const beside = failure(registryClient.startUpload("app", { signal: AbortSignal.timeout(5_000) }));
    for (const error of [await beside, await finishing]) {
      expect(error.code).toBe("REGISTRY_UNAVAILABLE");
      expect(error.message).toContain("get a token");
    }
  });
});

describe("a stream", () => {
  test("that is refused is not sent again; the next one goes with what the keychain has then", async () => {
    let password = "old";
    const patches: string[] = [];
    const registry = await serve((request, response, body) => {
      const [, given = ""] = Buffer.from(request.headers.authorization?.slice(6) ?? "", "base64")
        .toString()
        .split(":");
      if (request.method === "PATCH") patches.push(`${given} ${body}`);
      if (given !== password) return void response.writeHead(401, { "www-authenticate": "Basic" }).end();
      const location = "/v2/app/blobs/uploads/1";
      const range = request.method === "PATCH" ? { range: "0-4" } : {};
      response.writeHead(202, { location, ...range }).end();
    });
    const credentials: Keychain = { resolve: async () => [{ ...ann, password }] };
    const upload = await client(registry, { credentials }).startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    let begun = 0;
    const stream = () => ({
      sizeBytes: 5,
      chunks: (async function* () {
        begun += 1;
        yield Buffer.from("layer");
      })(),
    });
    password = "new";
    const refused = await failure(upload.write(stream()));
    expect(refused).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { triedCredentials: [ann.source] } });
    expect(patches).toEqual(["old layer"]);
    await upload.write(stream());
    expect(patches).toEqual(["old layer", "new layer"]);
    expect(begun).toBe(2);
  });
});
