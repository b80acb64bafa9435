import { readFileSync } from "node:fs";

import { buildOptionsSchema, parseOptions, type BuildOptions } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { contextArguments } from "./context-arguments.ts";
import { executorArguments } from "./executor-arguments.ts";
import { canonicalFlag, firstWith, flagKind, flagName, flagNames, oldestExecutor } from "./executor-flags.ts";
import { executorOf, type Executor } from "./executor-version.ts";
import { foldFlags } from "./fold-flags.ts";
import { resolveKanikoDriverOptions } from "./kaniko-options.ts";

const added = JSON.parse(
  readFileSync(new URL("./__fixtures__/executor-flags.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly string[]>>;

/** Each release with every flag that its executor has. */
const releases = Object.keys(added).map(
  (version, index) =>
    [
      version,
      new Set(
        Object.values(added)
          .slice(0, index + 1)
          .flat(),
      ),
      executor(version),
    ] as const,
);

function executor(version: string): Executor {
  return executorOf(`gcr.io/kaniko-project/executor:${version}`, {});
}

/** Every option that becomes a flag, and no flag by itself. */
function everyArgument(of: Executor, build: Partial<BuildOptions> = {}): readonly string[] {
  const { insecure, skipTlsVerify, registries, registryMirrors } = resolveKanikoDriverOptions({
    ...{ insecure: true, skipTlsVerify: true, registryMirrors: ["mirror.example.com"] },
    registries: { "r.example.com": { http: true, insecure: true, ca: "-----BEGIN CERTIFICATE-----\n" } },
  });
  const parsed = parseOptions(
    buildOptionsSchema,
    {
      ...{ context: ".", tags: ["r.example.com/team/api:v1"], target: "app", platforms: ["linux/amd64"] },
      ...{ buildArgs: { A: "1" }, labels: { l: "m" }, dockerfileInline: "FROM scratch\n" },
      ...{ outputs: ["oci", "docker"].map((type) => ({ type, destination: "x.tar" })), ...build },
    },
    "test",
  );
  const request = { ...parsed, id: "1", name: "api" };
  return [
    ...contextArguments(request).arguments,
    ...executorArguments(request, {
      executor: of,
      options: { insecure, skipTlsVerify, registries, registryMirrors },
      build: {
        cache: { ttl: "1h", copyLayers: true, runLayers: true, compressed: false, directory: "/cache" },
        ...{ snapshotMode: "full", useNewRun: true, singleSnapshot: true, reproducible: true, cleanup: true },
        verbosity: "debug",
      },
      furtherFlags: [],
    }),
  ];
}

function nameOf(argument: string): string {
  return /^--([^=]+)/.exec(argument)?.[1] ?? argument;
}

describe.each(releases)("the executor %s", (_version, recorded, of) => {
  it("is handed no flag that it does not have, with all options on", () => {
    expect(
      everyArgument(of)
        .map(nameOf)
        .filter((name) => !recorded.has(name)),
    ).toEqual([]);
  });

  it("has exactly the flags that it is said to have", () => {
    expect(flagNames(of).filter((name) => !recorded.has(name))).toEqual([]);
    expect([...recorded].filter((name) => flagName(canonicalFlag(name), of) === undefined)).toEqual([]);
  });

  it("takes each of its flags from args, by a name that it has", () => {
    const args = [...recorded]
      .filter((name) => flagKind(canonicalFlag(name), of) === "boolean")
      .map((name) => `--${name}`);
    const { further, issues } = foldFlags({ args }, of);
    expect(issues.filter(({ message }) => message.includes("has no flag"))).toEqual([]);
    expect(further.map(nameOf).filter((name) => !recorded.has(name))).toEqual([]);
  });
});

it("names every option in the current release", () => {
  const names = new Set(everyArgument(executor("v1.24.0")).map(nameOf));
  const expected = [
    "custom-platform",
    "snapshot-mode",
    "tar-path",
    "oci-layout-path",
    "no-push",
    "log-format",
    "cleanup",
  ];
  expect(expected.filter((name) => !names.has(name))).toEqual([]);
});

it.each([
  ["v0.17.1", ["--snapshotMode=full", "--tarPath=/kaniko/slipway-archives/image.tar"]],
  ["v1.3.0", ["--snapshotMode=full", "--log-format=json"]],
  ["v1.8.1", ["--snapshotMode=full", "--customPlatform=linux/amd64", "--push-retry=2"]],
  ["v1.11.0", ["--snapshot-mode=full", "--custom-platform=linux/amd64"]],
  ["v1.20.1", ["--image-download-retry=2"]],
])("%s gets %j, as it spells them", (version, expected) => {
  expect(everyArgument(executor(version))).toEqual(expect.arrayContaining(expected));
});

it.each([
  ["v1.8.1", "--snapshot-mode=redo", { snapshotMode: "redo" }],
  ["v1.8.1", "--custom-platform=linux/arm64", { platforms: ["linux/arm64"] }],
])("%s takes %s by its later name", (version, flag, expected) => {
  expect(foldFlags({ args: [flag] }, executor(version))).toMatchObject({ options: expected, issues: [] });
});

it("hands a flag on under the name of its time", () => {
  expect(foldFlags({ args: ["--ignore-var-run=false"] }, executor("v1.3.0")).further).toEqual([
    "--whitelist-var-run=false",
  ]);
});

it("suggests the spelling of the release", () => {
  const [issue] = foldFlags({ args: ["--snapshoteMode=redo"] }, executor("v1.3.0")).issues;
  expect(issue?.message).toMatch(/did you mean --snapshotMode\?$/);
});

it("knows the first release with each flag", () => {
  const firsts = [...new Set(Object.values(added).flat())].map((name) => [
    name,
    releases.find(([, recorded]) => recorded.has(name))?.[2].version,
  ]);
  const renamed = new Set(["snapshot-mode", "custom-platform", "tar-path", "ignore-var-run"]);
  for (const [name, first] of firsts as [string, unknown][])
    if (!renamed.has(name)) expect([name, firstWith(canonicalFlag(name), executor("v1.24.0"))]).toEqual([name, first]);
  expect(releases[0]?.[2].version).toEqual(oldestExecutor);
});

describe("the maintained fork", () => {
  const fork = executorOf("ghcr.io/osscontainertools/kaniko:v1.28.3", {});
  const own = [
    "annotation",
    "credential-helpers",
    "dryrun",
    "image-format",
    "materialize",
    "pre-cleanup",
    "preserve-context",
    "secret",
  ];

  it("has flags that nobody else has", () => {
    expect(own.filter((name) => flagKind(name, fork) === undefined)).toEqual([]);
    const other = executor("v1.24.0");
    expect(own.filter((name) => flagKind(name, other) !== undefined)).toEqual([]);
    const chainguard = executorOf("cgr.dev/chainguard/kaniko:v1.25.16", {});
    expect(own.filter((name) => flagKind(name, chainguard) !== undefined)).toEqual(["annotation"]);
  });

  it("builds several targets: the first is the option, the rest are handed on", () => {
    const args = ["--target=app", "--target", "debug", "--target=test"];
    const { options, further, warnings } = foldFlags({ args }, fork);
    expect(options.target).toBe("app");
    expect(further).toEqual(["--target=debug", "--target=test"]);
    expect(warnings).toEqual([]);
  });

  it("is the only one: elsewhere the last target is built", () => {
    const { options, further } = foldFlags({ args: ["--target=app", "--target=debug"] }, executor("v1.24.0"));
    expect(options.target).toBe("debug");
    expect(further).toEqual([]);
  });
});
