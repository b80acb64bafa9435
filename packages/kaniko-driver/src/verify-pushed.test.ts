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

async function verify(head: () => Promise<string>, onlyInPod?: string): Promise<readonly DriverEvent[]> {
  const events: DriverEvent[] = [];
  const client = {
    headManifest: async () => ({ digest: await head(), mediaType: "m", sizeBytes: 1 }),
  } as unknown as ReturnType<ClientOf>;
  const registries = { clientOf: () => client, onlyInPod: () => Promise.resolve(onlyInPod) };
  const call = { signal: AbortSignal.timeout(60_000), emit: (event: DriverEvent) => void events.push(event) };
  await verifyPushed([tag], digest, registries, call);
  return events;
}

it("takes what the registry serves, and nothing else", async () => {
  expect(await verify(() => Promise.resolve(digest))).toEqual([]);
  await expect(verify(() => Promise.resolve("sha256:b"), "a reason")).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
  });
  await expect(verify(() => Promise.reject(refused))).rejects.toBe(refused);
});

it("warns where only the pod of the build may be let in", async () => {
  const events = await verify(() => Promise.reject(refused), "service account builder may give the credentials");
  const message = expect.stringMatching(`${digest} as ${tag}, .*: service account builder may give the`) as string;
  expect(events).toMatchObject([{ type: "warning", message }]);
});
