import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";

import type { Credential, Keychain } from "@slipway/core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { PodRegistries } from "./pod-registries.ts";
import { checkRegistries, type CheckedRequest } from "./preflight.ts";

const host = "registry.svc:5000";
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: string[] = [];
const registry = createServer((request, response) => {
  requests.push(`${request.method} ${request.url}`);
  answer(request, response);
});
beforeAll(() => new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve)));
afterAll(() => registry.close());
beforeEach(() => requests.splice(0));

/** Takes every upload. */
const open: typeof answer = (request, response) => {
  if (request.method === "POST") response.writeHead(202, { location: "/v2/upload/1" }).end();
  else response.writeHead(request.method === "DELETE" ? 204 : 200).end();
};

/** Takes uploads of one user. */
const basic =
  (user: string): typeof answer =>
  (request, response) => {
    const login = Buffer.from((request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString();
    if (login.startsWith(`${user}:`)) open(request, response);
    else response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
  };

function user(username: string, scope?: string): Credential {
  const source = `secret builds/${username}`;
  return { type: "basic", source, username, password: "p", ...(scope === undefined ? {} : { scope }) };
}

function keychain(...credentials: readonly Credential[]): Keychain {
  return {
    resolve: ({ repository }) => {
      const fits = ({ scope }: Credential) => scope === undefined || (repository ?? scope).startsWith(scope);
      return Promise.resolve(credentials.filter(fits));
    },
  };
}

const push: CheckedRequest = {
  outputs: [{ type: "push" }],
  tags: [`${host}/team/app:1`, `${host}/team/app:2`],
  cacheFrom: [],
  cacheTo: [],
  createRepository: false,
  preflight: true,
};

const bases: string[] = [];
let isComplete: boolean;
beforeEach(() => {
  bases.splice(0, bases.length, `${host}/base/app:1`);
  isComplete = true;
});

async function check(
  changes: Partial<CheckedRequest> = {},
  credentials: Keychain = keychain(),
  port = (registry.address() as AddressInfo).port,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  const call = { signal: AbortSignal.timeout(20_000), warn: (message: string) => void warnings.push(message) };
  await using registries = new PodRegistries({
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket)).once("error", reject);
      }),
    registries: { [host]: { http: true } },
    credentials,
    keychainCall: call,
  });
  const baseImages = () => Promise.resolve({ references: bases, isComplete });
  const images = { baseImages, possibleBaseImages: () => Promise.resolve(bases) };
  await checkRegistries({ ...push, ...changes }, { registries, credentials, keychainCall: call, ...images });
  return warnings;
}

it("opens an upload in each repository that is written to, once, and drops it", async () => {
  answer = open;
  await check({ cacheTo: [{ type: "registry", reference: `${host}/team/cache` }] });
  const opened = requests.filter((request) => request.startsWith("POST"));
  expect(opened.toSorted()).toEqual(["POST /v2/team/app/blobs/uploads/", "POST /v2/team/cache/blobs/uploads/"]);
  expect(requests.filter((request) => request.startsWith("DELETE"))).toHaveLength(2);
});

it("asks nobody when nothing is written", async () => {
  await check({ outputs: [{ type: "cache-only" }] });
  expect(requests).toEqual([]);
});

it("takes the candidate that may push, and names all of them when none may", async () => {
  answer = basic("writer");
  expect(await check({}, keychain(user("reader"), user("writer")))).toEqual([]);
  await expect(check({}, keychain(user("reader"), user("other")))).rejects.toMatchObject({
    code: "REGISTRY_UNAUTHORIZED",
    details: {
      registry: host,
      triedCredentials: expect.arrayContaining(["secret builds/reader", "secret builds/other"]) as unknown,
    },
  });
});

it("refuses two users for one host where Basic authentication allows one", async () => {
  answer = basic("writer");
  const two = keychain(user("reader", "base"), user("writer", "team"));
  await expect(check({}, two)).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringMatching(/secret builds\/writer.*secret builds\/reader/) as unknown,
  });
  expect(requests.filter((request) => request.startsWith("POST"))).toEqual([]);
});

it("refuses them also where nothing is pushed to that host, and where some repositories need nobody", async () => {
  answer = basic("writer");
  bases.push(`${host}/open/app:1`, `${host}/team/base:1`);
  const two = keychain(user("reader", "base"), user("writer", "team"));
  const elsewhere: Partial<CheckedRequest> = { outputs: [{ type: "cache-only" }], tags: [] };
  await expect(check(elsewhere, two)).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringMatching(/secret builds\/reader.*secret builds\/writer/) as unknown,
  });
});

it("refuses them also where nobody asks for permission to push", async () => {
  answer = basic("writer");
  const two = keychain(user("reader", "base"), user("writer", "team"));
  await expect(check({ preflight: false }, two)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  expect(await check({ preflight: false }, keychain(user("other")))).toEqual([]);
  expect(requests.filter((request) => request.startsWith("POST"))).toEqual([]);
});

it("says so where it does not see which base images a build with two users for one host reads", async () => {
  answer = basic("writer");
  bases.splice(0);
  isComplete = false;
  const two = keychain(user("writer", "team"), user("reader", "base"));
  const warnings = await check({}, two);
  expect(warnings).toEqual([
    expect.stringMatching(/registry\.svc:5000 .*secret builds\/writer and secret builds\/reader.*Dockerfile is not/),
  ]);
  // Whatever is in it, there is one user for all.
  expect(await check({}, keychain(user("writer")))).toEqual([]);
  isComplete = true;
  expect(await check({}, two)).toEqual([]);
});

it("leaves two users alone that this build does not need both", async () => {
  answer = basic("writer");
  expect(await check({}, keychain(user("writer", "team"), user("other", "elsewhere")))).toEqual([]);
});

it("warns when the registry cannot be reached from the pod, because the daemon may have another way", async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const [warning, ...others] = await check({}, keychain(), port);
  expect(warning).toMatch(/registry\.svc:5000\/team\/app can be pushed to .*ECONNREFUSED/);
  expect(others).toEqual([]);
});
