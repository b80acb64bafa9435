import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { PodRegistries } from "./pod-registries.ts";
import { verifyPushed } from "./verify-pushed.ts";

const digest = `sha256:${"a".repeat(64)}`;
const served = new Map([
  ["/v2/team/api/manifests/v1", digest],
  ["/v2/team/api/manifests/other", `sha256:${"b".repeat(64)}`],
]);
const registry = createServer((request, response) => {
  const found = served.get(request.url ?? "");
  if (found === undefined) response.writeHead(404).end();
  else response.writeHead(200, { "docker-content-digest": found, "content-length": 10 }).end();
});
beforeAll(() => new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve)));
afterAll(() => registry.close());

const dialled: string[] = [];

/** What the daemon says of each reference; by default nothing. */
let daemon: (reference: string) => Promise<string> = () => Promise.reject(new Error("not known"));

async function verify(...references: string[]): Promise<void> {
  await using registries = new PodRegistries({
    dial: (_signal, url) => {
      dialled.push(url.host);
      return Promise.resolve(connect((registry.address() as AddressInfo).port, "127.0.0.1"));
    },
    registries: { "registry.svc:5000": { http: true } },
    credentials: { resolve: () => Promise.resolve([]) },
    keychainCall: { signal: AbortSignal.timeout(10_000) },
  });
  await verifyPushed(references, digest, {
    resolve: (reference) => daemon(reference),
    isMirrored: () => false,
    registries,
    signal: AbortSignal.timeout(10_000),
  });
}

it("asks the registry under the name that it was pushed to", async () => {
  await verify("registry.svc:5000/team/api:v1");
  expect(dialled.at(-1)).toBe("registry.svc:5000");
});

it("fails when the registry serves something else", async () => {
  await expect(verify("registry.svc:5000/team/api:v1", "registry.svc:5000/team/api:other")).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
    details: { expected: digest, actual: `sha256:${"b".repeat(64)}` },
  });
});

it("fails when the registry has no such image", async () => {
  await expect(verify("registry.svc:5000/team/api:gone")).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
    details: { expected: digest },
  });
});

describe("with an answer of the daemon", () => {
  beforeEach(() => {
    dialled.length = 0;
  });

  it("needs no connection of its own when that confirms the digest", async () => {
    const asked: string[] = [];
    daemon = (reference) => {
      asked.push(reference);
      return Promise.resolve(digest);
    };
    await verify("registry.svc:5000/team/api:gone");
    expect([asked, dialled]).toEqual([["registry.svc:5000/team/api:gone"], []]);
  });

  it("asks the registry itself when the daemon says something else", async () => {
    daemon = () => Promise.resolve(`sha256:${"c".repeat(64)}`);
    await verify("registry.svc:5000/team/api:v1");
    expect(dialled).toEqual(["registry.svc:5000"]);
  });

  it("does not ask the daemon for a digest, which it would find in its own store", async () => {
    daemon = () => Promise.resolve(digest);
    await expect(verify(`registry.svc:5000/team/api@${digest}`)).rejects.toMatchObject({ code: "DIGEST_MISMATCH" });
    expect(dialled).toEqual(["registry.svc:5000"]);
  });
});
