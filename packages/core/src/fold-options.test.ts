import { expect, test } from "vitest";
import * as z from "zod/mini";

import type { BuildEvent } from "./build-event.ts";
import type { BuildOptions } from "./build-options.ts";
import { createBuilder } from "./builder.ts";
import type { BuildRequest } from "./builder-driver.ts";
import { contextFolder, someDigest, stubDriver } from "./self-test/stub-driver.ts";

const tag = "registry.example.com/team/api:v1";

/** One build with a driver whose own key replaces options of the build. */
async function foldedBuild(replaced: Partial<BuildOptions>, given: Partial<BuildOptions> = {}) {
  const events: BuildEvent[] = [];
  const requests: BuildRequest[] = [];
  const driver = {
    ...stubDriver({
      features: ["outputs:cache-only"],
      build: async (request) => {
        requests.push(request);
        return { digest: someDigest };
      },
    }),
    buildOptions: { own: z.strictObject({ word: z.optional(z.string()) }) },
    foldOptions: (options: Readonly<BuildOptions>, { own }: { own: { word?: string | undefined } }) => ({
      options: { ...options, ...replaced },
      warnings: [`said ${own.word ?? "nothing"}`],
    }),
  };
  const builder = createBuilder({ driver, onEvent: (event) => events.push(event) });
  const result = await builder.build({ context: contextFolder(), ...given, own: { word: "hello" } }).result();
  return { result, requests, events };
}

test("what a driver reads in its own keys is built, and told in the events and the result", async () => {
  const { result, requests, events } = await foldedBuild({ tags: [tag] });
  expect(requests[0]).toMatchObject({ tags: [tag], name: tag });
  expect(result.image).toMatchObject({ tags: [tag], reference: `registry.example.com/team/api@${someDigest}` });
  const told = events.filter(({ type }) => type === "build-start" || type === "warning");
  expect(told).toMatchObject([
    { type: "build-start", tags: [tag] },
    { type: "warning", message: "said hello" },
  ]);
});

test("a build whose push a driver's own key has taken away has no image", async () => {
  const { result } = await foldedBuild({ outputs: [{ type: "cache-only" }] }, { tags: [tag] });
  expect(result.image).toBeUndefined();
});

test.each<[Partial<BuildOptions>, Partial<BuildOptions>, RegExp]>([
  [{ dockerfile: "../outside" }, { tags: [tag] }, /dockerfile: Must be a path inside the context/],
  [{ tags: ["not a tag"] }, {}, /tags\[0\]/],
  [{ outputs: [{ type: "cache-only" }] }, { tags: [tag], skipIfPresent: true }, /skipIfPresent: .*only output/],
])("%j is checked as if the caller had written it beside %j", async (replaced, given, message) => {
  await expect(foldedBuild(replaced, given)).rejects.toThrow(message);
});
