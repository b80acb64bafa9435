import type { Keychain } from "@slipway/core";
import {
  copyImage,
  createNetworkTransport,
  createRegistryClient,
  type RegistryTransport,
} from "@slipway/registry-client";
import { expect, it } from "vitest";

import { openUploads } from "./publish/open-uploads.ts";
import { createTestImage, pushTestImage } from "./publish/test-image.ts";
import { startDebianRegistry } from "./support/registries/start-debian-registry.ts";
import { startDistribution, type DistributionProcess } from "./support/registries/start-distribution.ts";
import { startTokenServer } from "./support/registries/start-token-server.ts";

const uploadMethods = ["POST", "PATCH", "PUT"];

/** A transport that does something as it sends one of its upload requests: before it, or once it is on its way. */
function interruptAt(number: number, moment: "before" | "during", interrupt: () => void): RegistryTransport {
  const transport = createNetworkTransport();
  let uploads = 0;
  return async (request) => {
    const due = uploadMethods.includes(request.method) && ++uploads === number;
    if (due && moment === "before") interrupt();
    const answer = transport(request);
    if (due && moment === "during") setImmediate(interrupt);
    return await answer;
  };
}

const user = { username: "publisher", password: "a password" };
const credentials: Keychain = { resolve: async () => [{ type: "basic", source: "the test", ...user }] };

/** A registry where one may push and not delete, not even an upload of one's own. */
async function startWithoutDeletion(): Promise<DistributionProcess> {
  const rights = { "*": ["pull", "push"] } as const;
  const tokens = await startTokenServer({ users: { [user.username]: { password: user.password, rights } } });
  const registry = await startDistribution({ auth: { token: tokens } });
  const stop = async (): Promise<void> => {
    await registry[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
  };
  return { ...registry, [Symbol.asyncDispose]: stop };
}

it.each([
  ["distribution 2", startDebianRegistry],
  ["distribution 3", startDistribution],
  ["distribution 3 where nobody may delete", startWithoutDeletion],
])("PUBLISH-CANCEL: a copy that is aborted at any of its uploads leaves none open in %s", async (_name, start) => {
  await using source = await startDistribution();
  await using destination = await start({});
  const image = createTestImage({ layerBytes: [12_000_000, 3_000_000] });
  await pushTestImage(createRegistryClient({ registry: source.host }), "team/app", "1", image);
  let aborted = 0;
  for (let number = 1; number <= 24; number += 1) {
    for (const moment of ["before", "during"] as const) {
      const controller = new AbortController();
      const transport = interruptAt(number, moment, () => {
        controller.abort(new Error("the test leaves"));
      });
      const tag = `${number}-${moment}`;
      // A repository of its own each time, so that nothing is there already.
      const name = `${destination.host}/copies/${tag}`;
      const copy = copyImage(
        {
          source: `${source.host}/team/app:1`,
          destinations: [`${name}:1`],
          connect: (registry) =>
            createRegistryClient({ registry, ...(registry === destination.host ? { transport, credentials } : {}) }),
        },
        { signal: controller.signal },
      );
      const outcome = await copy.then(
        () => "done",
        (error: unknown) => (error as { code?: string }).code,
      );
      expect(await openUploads(destination), tag).toEqual([]);
      if (!controller.signal.aborted) continue;
      aborted += 1;
      expect(outcome, tag).toBe("ABORTED");
      const there = await createRegistryClient({ registry: destination.host, credentials }).headManifest(`${name}:1`);
      expect(there, tag).toBeUndefined();
    }
  }
  // Every upload of the image was one of the points.
  expect(aborted).toBeGreaterThan(36);
});
