import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";

import { afterAll, beforeAll, expect, it } from "vitest";

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

function verify(...references: string[]): Promise<void> {
  return verifyPushed(references, digest, {
    dial: (_signal, url) => {
      dialled.push(url.host);
      return Promise.resolve(connect((registry.address() as AddressInfo).port, "127.0.0.1"));
    },
    registries: { "registry.svc:5000": { http: true } },
    credentials: { resolve: () => Promise.resolve([]) },
    readSecret: () => Promise.resolve(undefined),
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
