import { buildOptionsSchema, parseOptions, type BuildOptions } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { foldBuild } from "./build-plan.ts";
import { kanikoDriver } from "./kaniko-driver.ts";
import { resolveKanikoDriverOptions, type KanikoBuildOptions, type KanikoDriverOptions } from "./kaniko-options.ts";
import { lackingOptions, type AskedOptions } from "./lacking-options.ts";
import { executorOf } from "./executor-version.ts";

const git = { type: "git", url: "https://git.example.com/team/api" } as const;
const sink = (): Promise<void> => Promise.resolve();
const mirrors = ["a.example.com", "b.example.com"];

/** What somebody asks for, the path of the issue, the last release that lacks it, and the first that has it. */
const limits: readonly (readonly [AskedOptions, path: string, last: string, first: string])[] = [
  [{}, "image", "v0.9.0", "v0.10.0"],
  [{ outputs: [{ type: "oci", destination: sink }] }, "outputs", "v0.11.0", "v0.12.0"],
  [{ registryMirrors: ["a.example.com"] }, "registryMirrors", "v0.17.1", "v0.18.0"],
  [{ labels: { l: "m" } }, "labels", "v0.18.0", "v0.19.0"],
  [{ registries: { "r.example.com": { ca: "PEM" } } }, 'registries["r.example.com"].ca', "v0.18.0", "v0.19.0"],
  [{ context: { ...git, subdirectory: "api" } }, "context.subdirectory", "v0.19.0", "v0.20.0"],
  [{ useNewRun: true }, "useNewRun", "v0.23.0", "v0.24.0"],
  [{ snapshotMode: "redo" }, "snapshotMode", "v0.23.0", "v0.24.0"],
  [{ context: { ...git, ref: "main" } }, "context.ref", "v0.24.0", "v1.0.0"],
  [{ context: { ...git, ref: "0".repeat(40) } }, "context.ref", "v0.24.0", "v1.0.0"],
  [{ cache: { copyLayers: true } }, "cache.copyLayers", "v1.3.0", "v1.4.0"],
  [{ registryMirrors: mirrors }, "registryMirrors", "v1.3.0", "v1.4.0"],
  [{ outputs: [{ type: "push" }, { type: "docker", destination: sink }] }, "outputs", "v1.5.2", "v1.6.0"],
  [{ cache: { compressed: false } }, "cache.compressed", "v1.6.0", "v1.7.0"],
  [{ cache: { runLayers: false } }, "cache.runLayers", "v1.8.1", "v1.9.0"],
];

function lacking(options: AskedOptions, version: string) {
  return lackingOptions(options, executorOf(`gcr.io/kaniko-project/executor:${version}`, {}));
}

describe("an executor that is too old", () => {
  it.each(limits)("for %j is refused by the name of %s in %s, not in %s", (options, path, last, first) => {
    const [issue, ...more] = lacking(options, last);
    expect(more).toEqual([]);
    expect(issue?.path).toBe(path);
    expect(issue?.message).toContain(`The executor (google ${last}) `);
    expect(lacking(options, first)).toEqual([]);
  });

  it("is named with what it lacks and what to do", () => {
    expect(lacking({ cache: { compressed: false } }, "v1.6.0")).toEqual([
      {
        path: "cache.compressed",
        message:
          "The executor (google v1.6.0) has no flag --compressed-caching; leave this out, or use v1.7.0 or later",
      },
    ]);
  });

  it.each<[AskedOptions, string]>([
    [{ useNewRun: false, cache: { runLayers: true, compressed: true } }, "v0.17.1"],
    [{ cache: { enabled: false, copyLayers: true } }, "v0.17.1"],
    [{ context: { ...git, ref: "refs/heads/main" } }, "v0.17.1"],
    [{ labels: {}, registryMirrors: [], platforms: ["linux/amd64"] }, "v0.17.1"],
    [{ useNewRun: true, allowUnknownFlags: true }, "v0.23.0"],
  ])("has nothing to refuse in %j", (options, version) => {
    expect(lacking(options, version)).toEqual([]);
  });
});

function fold(driver: KanikoDriverOptions, build: Partial<BuildOptions>, kaniko: KanikoBuildOptions) {
  const tags = ["registry.example.com/team/api:v1"];
  const request = parseOptions(buildOptionsSchema, { context: ".", tags, ...build }, "test");
  return foldBuild({ ...request, id: "1", name: "api", kaniko }, resolveKanikoDriverOptions(driver));
}

const old = { image: "gcr.io/kaniko-project/executor:v0.17.1" };

it("is refused when the driver is made", () => {
  expect(() => kanikoDriver({ ...old, useNewRun: true })).toThrow(/kanikoDriver: useNewRun: .*google v0\.17\.1/);
  expect(() => kanikoDriver({ ...old, labels: { "of-the": "pods" }, snapshotMode: "time" })).not.toThrow();
});

it.each<[KanikoDriverOptions, Partial<BuildOptions>, KanikoBuildOptions, RegExp]>([
  [old, {}, { useNewRun: true }, /useNewRun: .*v0\.24\.0 or later/],
  [old, { labels: { l: "m" } }, {}, /labels: .*no flag --label/],
  [{ ...old, args: ["--snapshotMode=redo"] }, {}, {}, /snapshotMode: .*does not know "redo"/],
])("%j refuses a build with %j and %j", (driver, build, kaniko, message) => {
  expect(() => fold(driver, build, kaniko)).toThrow(message);
});
