import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { BuildOptions, BuildResult } from "@slipway/core";

import type { ConformanceBench } from "../conformance-bench.ts";
import { otherPlatform } from "./platforms.ts";
import { readEvents } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

/** What is there already, and need not be built again. */
export const skipRequirements: readonly ConformanceRequirement[] = [
  {
    id: "find",
    rule: "finds the images that a registry serves, under their tags and digests, for the platforms that they have",
    ifAnyOf: ["find"],
    async check(bench) {
      const { builder } = bench;
      const image = await bench.ended((await bench.build("simple")).image());
      const find = async (reference: string, platforms: readonly string[] = []) =>
        bench.ended(builder.find?.(reference, { platforms }) ?? assert.fail("There is no find"));
      const [tag = ""] = image.tags;
      const found = await find(tag);
      assert.ok(found, `${tag} was pushed and must be found`);
      assert.equal(found.digest, image.digest);
      assert.equal(found.reference, image.reference);
      assert.equal((await find(image.reference))?.digest, image.digest, "It must be found by its digest too");
      assert.ok(found.platforms.length > 0, "The platforms of an image must be told");
      const platforms = found.platforms.map(({ platform }) => platform);
      assert.equal((await find(tag, platforms))?.digest, image.digest, `It is there for ${platforms.join()}`);
      assert.equal(await find(tag, [otherPlatform]), undefined, `It is not there for ${otherPlatform}`);
      assert.equal(await find(bench.tag("never-pushed")), undefined, "Nothing was pushed there");
    },
  },
  {
    id: "skip-unchanged",
    rule: "builds nothing if all tags stand for an image that was built from the same inputs, and says so",
    ifAnyOf: ["skipIfPresent"],
    async check(bench) {
      const options = await skipping(bench);
      const built = await resultOf(bench, options);
      assert.equal(built.skipped, undefined, "There was nothing to find before the first build");
      const { calls } = bench.recorder;
      const run = bench.builder.build(options);
      const { events, thrown } = await bench.ended(readEvents(run));
      assert.equal(thrown, undefined, `The build failed: ${String(thrown)}`);
      assert.deepEqual(
        events.map(({ type }) => type),
        ["build-queue", "build-start", "build-skip", "build-end"],
      );
      const skipped = await run.result();
      assert.equal(skipped.skipped, true);
      assert.equal(skipped.image?.digest, built.image?.digest);
      assert.equal(skipped.image?.reference, built.image?.reference);
      assert.deepEqual(skipped.pods, []);
      assert.equal(bench.recorder.calls, calls, "The driver must not be asked to build");
    },
  },
  {
    id: "skip-inputs",
    rule: "builds if a file, an argument or a tag is new, or a tag stands for what was built from something else",
    ifAnyOf: ["skipIfPresent"],
    async check(bench) {
      const options = await skipping(bench);
      const { context, tags = [] } = options;
      assert.ok(typeof context === "string");
      const built = async (what: string, changed: Partial<BuildOptions> = {}) =>
        assert.equal((await resultOf(bench, { ...options, ...changed })).skipped, undefined, `${what} must be built`);
      await built("What was never built");
      await writeFile(join(context, "further.txt"), "new");
      await built("A new file");
      await writeFile(join(context, "further.txt"), "changed");
      await built("A changed file");
      await built("Another argument", { buildArgs: { CONFORMANCE: "changed" } });
      await built("Another tag", { tags: tags.map((tag) => `${tag}-other`) });
      // Somebody who does not say what it was built from.
      const foreign = { ...options, skipIfPresent: false, labels: { ...options.labels, "conformance.foreign": "yes" } };
      await resultOf(bench, foreign);
      await built("A tag that was moved");
    },
  },
];

/** What nobody has built before: registries keep what earlier runs have recorded. */
async function skipping(bench: ConformanceBench): Promise<BuildOptions> {
  return bench.options("simple", {
    skipIfPresent: true,
    labels: { "conformance.skipped": bench.uniqueName("skipped") },
  });
}

async function resultOf(bench: ConformanceBench, options: BuildOptions): Promise<BuildResult> {
  return bench.ended(bench.builder.build(options).result());
}
