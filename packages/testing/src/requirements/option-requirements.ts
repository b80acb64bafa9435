import assert from "node:assert/strict";

import { operations } from "@slipway/core";
import type { BuildOptionSchemas, BuildOptions, Feature } from "@slipway/core";

import { platformsOf } from "./platforms.ts";
import { rejection } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

/** For each feature, options that ask for it. A new feature does not compile before it is here. */
const asking: Readonly<Record<Feature, Partial<BuildOptions>>> = {
  contexts: { contexts: { other: "." } },
  annotations: { annotations: { "org.opencontainers.image.title": "conformance" } },
  secrets: { secrets: { conformance: { value: "nothing to see" } } },
  ssh: { ssh: { default: {} } },
  network: { network: "host" },
  addHosts: { addHosts: { "example.test": "192.0.2.1" } },
  shmSizeBytes: { shmSizeBytes: 1_048_576 },
  ulimits: { ulimits: { nofile: { soft: 1024, hard: 1024 } } },
  provenance: { provenance: true },
  sbom: { sbom: true },
  skipIfPresent: { skipIfPresent: true },
  "platforms:many": { platforms: ["linux/amd64", "linux/arm64"] },
  "noCache:stages": { noCache: ["build"] },
  "context:git": { context: { type: "git", url: "https://git.example.test/team/api.git" } },
  "context:http": { context: { type: "http", url: "https://example.test/context.tar" } },
  "context:tar": { context: { type: "tar", read: () => emptyTar() } },
  "context:image": { context: { type: "image", reference: "registry.example.test/team/sources:v1" } },
  "context:oci-layout": { context: { type: "oci-layout", path: "." } },
  "outputs:oci": { outputs: [{ type: "oci", destination: drain }] },
  "outputs:docker": { outputs: [{ type: "docker", destination: drain }] },
  "outputs:tar": { outputs: [{ type: "tar", destination: drain }] },
  "outputs:local": { outputs: [{ type: "local", directory: "out" }] },
  "outputs:cache-only": { outputs: [{ type: "cache-only" }] },
  "cacheFrom:registry": { cacheFrom: ["registry.example.test/team/cache"] },
  "cacheFrom:inline": { cacheFrom: [{ type: "inline" }] },
  "cacheFrom:local": { cacheFrom: [{ type: "local", directory: "cache" }] },
  "cacheFrom:gha": { cacheFrom: [{ type: "gha", attributes: {} }] },
  "cacheFrom:s3": { cacheFrom: [{ type: "s3", attributes: {} }] },
  "cacheFrom:azblob": { cacheFrom: [{ type: "azblob", attributes: {} }] },
  "cacheTo:registry": { cacheTo: ["registry.example.test/team/cache"] },
  "cacheTo:inline": { cacheTo: [{ type: "inline" }] },
  "cacheTo:local": { cacheTo: [{ type: "local", directory: "cache" }] },
  "cacheTo:gha": { cacheTo: [{ type: "gha", attributes: {} }] },
  "cacheTo:s3": { cacheTo: [{ type: "s3", attributes: {} }] },
  "cacheTo:azblob": { cacheTo: [{ type: "azblob", attributes: {} }] },
};

/** What is refused before any work, and what must not be ignored. */
export const optionRequirements: readonly ConformanceRequirement[] = [
  {
    id: "declaration",
    rule: "declares its version, its name and features that there are, each once",
    async check({ driver }) {
      assert.equal(driver.specificationVersion, "v1");
      assert.match(driver.name, /\S/);
      assert.deepEqual(
        driver.features.filter((feature) => !Object.hasOwn(asking, feature)),
        [],
        "Unknown features",
      );
      assert.equal(new Set(driver.features).size, driver.features.length, "A feature is declared twice");
      if (driver.attach !== undefined)
        assert.ok(driver.builds !== undefined && driver.cancel !== undefined, "attach comes with builds and cancel");
      for (const [key, schema] of Object.entries<BuildOptionSchemas[string]>(driver.buildOptions ?? {}))
        assert.equal((await schema["~standard"].validate({})).issues, undefined, `The schema of ${key} must accept {}`);
    },
  },
  {
    id: "undeclared-feature",
    rule: "is not asked for a feature that it does not declare: UNSUPPORTED_FEATURE before any work",
    async check(bench) {
      const features = Object.keys(asking) as Feature[];
      for (const feature of features.filter((name) => !bench.driver.features.includes(name))) {
        assert.equal(bench.builder.supports(feature), false);
        const error = await rejection((await bench.build("simple", asking[feature])).result(), "UNSUPPORTED_FEATURE");
        assert.ok(error.details.features.includes(feature), `The error must name ${feature}`);
      }
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "undeclared-operation",
    rule: "is not asked for an operation that it does not have: UNSUPPORTED_FEATURE",
    async check(bench) {
      for (const operation of operations.filter((name) => bench.driver[name] === undefined)) {
        assert.equal(bench.builder.supports(operation), false);
        const call = async () =>
          (bench.builder[operation] as ((...args: unknown[]) => unknown) | undefined)?.call(bench.builder, "id");
        const error = await rejection(call(), "UNSUPPORTED_FEATURE");
        assert.deepEqual(error.details.features, [operation]);
      }
    },
  },
  {
    id: "options-strict",
    rule: "never sees an option that does not exist; the error names the nearest one",
    async check(bench) {
      const { context, ...rest } = await bench.options("simple");
      const error = await rejection(
        bench.builder.build({ ...rest, contxt: context } as never).result(),
        "INVALID_OPTIONS",
      );
      assert.match(error.message, /"contxt".*"context"/);
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "own-options-strict",
    rule: "refuses a key of its own options that does not exist",
    async check(bench) {
      for (const key of Object.keys(bench.driver.buildOptions ?? {})) {
        const own = { [key]: { noOptionHasThisName: true } };
        const error = await rejection((await bench.build("simple", own)).result(), "INVALID_OPTIONS");
        assert.match(error.message, new RegExp(`${key}.*noOptionHasThisName`));
      }
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "push-needs-tags",
    rule: "is not asked to push without tags: INVALID_OPTIONS",
    async check(bench) {
      const error = await rejection((await bench.build("simple", { tags: [] })).result(), "INVALID_OPTIONS");
      assert.equal(error.details.issues[0]?.path, "tags");
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "context-missing",
    rule: "is not asked to build a context that is not there: CONTEXT_INVALID with the path",
    async check(bench) {
      const { context } = await bench.options("simple");
      assert.ok(typeof context === "string");
      const missing = `${context}-missing`;
      const error = await rejection((await bench.build("simple", { context: missing })).result(), "CONTEXT_INVALID");
      assert.equal(error.details.path, missing);
      const inside = await rejection(
        (await bench.build("simple", { dockerfile: "Missingfile" })).result(),
        "CONTEXT_INVALID",
      );
      assert.match(inside.details.path, /Missingfile$/);
      assert.equal(bench.recorder.calls, 0);
    },
  },
  {
    id: "platforms-built",
    rule: "builds every platform that it is asked for",
    ifAnyOf: ["platforms:many"],
    async check(bench) {
      const platforms = platformsOf(bench.harness);
      const image = await bench.ended((await bench.build("simple", { platforms })).image());
      assert.deepEqual(image.platforms.map(({ platform }) => platform).toSorted(), platforms.toSorted());
    },
  },
  {
    id: "archives-written",
    rule: "writes every archive that it is asked for",
    ifAnyOf: ["outputs:oci", "outputs:docker", "outputs:tar"],
    async check(bench) {
      for (const type of ["oci", "docker", "tar"] as const) {
        if (!bench.driver.features.includes(`outputs:${type}`)) continue;
        let sizeBytes = 0;
        const destination = async (archive: AsyncIterable<Uint8Array>) => {
          for await (const chunk of archive) sizeBytes += chunk.byteLength;
        };
        const run = await bench.build("simple", { outputs: [{ type, destination }] });
        await bench.ended<unknown>(type === "tar" ? run.result() : run.image());
        assert.ok(sizeBytes > 0, `The archive of the output ${type} is empty`);
      }
    },
  },
  {
    id: "no-image",
    rule: "makes no image when only the cache is asked for: NO_IMAGE",
    ifAnyOf: ["outputs:cache-only"],
    async check(bench) {
      const run = await bench.build("simple", { outputs: [{ type: "cache-only" }] });
      assert.equal((await bench.ended(run.result())).image, undefined);
      await rejection(run.image(), "NO_IMAGE");
    },
  },
];

async function* emptyTar(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1024);
}

async function drain(archive: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of archive);
}
