import { BuilderError, type DriverEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { verifyPushed, type ClientOf } from "./verify-pushed.ts";

const digest = `sha256:${"a".repeat(64)}`;
const tag = "r.example.com/app:1";
const refused = new BuilderError({
  code: "REGISTRY_UNAUTHORIZED",
  message: "refused",
  details: { registry: "r.example.com", diagnostics: [], triedCredentials: [] },
});

async function verify(head: () => Promise<string>, helper?: string): Promise<readonly DriverEvent[]> {
  const events: DriverEvent[] = [];
  const client = {
    headManifest: async () => ({ digest: await head(), mediaType: "m", sizeBytes: 1 }),
  } as unknown as ReturnType<ClientOf>;
  const registries = { clientOf: () => client, helperFor: () => Promise.resolve(helper) };
  const call = { signal: AbortSignal.timeout(60_000), emit: (event: DriverEvent) => void events.push(event) };
  await verifyPushed([tag], digest, registries, call);
  return events;
}

it("takes what the registry serves, and nothing else", async () => {
  expect(await verify(() => Promise.resolve(digest))).toEqual([]);
  await expect(verify(() => Promise.resolve("sha256:b"), "a helper")).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
  });
  await expect(verify(() => Promise.reject(refused))).rejects.toBe(refused);
});

it("warns where only a helper of the executor's image has credentials", async () => {
  const events = await verify(() => Promise.reject(refused), "docker-credential-ecr-login");
  expect(events).toMatchObject([
    { type: "warning", message: expect.stringContaining(`${digest} as ${tag}`) as string },
  ]);
});
