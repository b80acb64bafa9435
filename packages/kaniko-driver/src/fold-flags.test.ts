import { describe, expect, it } from "vitest";

import { executorOf } from "./executor-version.ts";
import type { FoldableOptions } from "./flag-options.ts";
import { foldFlags } from "./fold-flags.ts";

const current = executorOf("gcr.io/kaniko-project/executor:v1.24.0", {});

describe("flags that an option stands for", () => {
  it.each<[readonly string[], FoldableOptions]>([
    [["--snapshotMode=redo", "--use-new-run"], { snapshotMode: "redo", useNewRun: true }],
    [["--snapshot-mode", "time"], { snapshotMode: "time" }],
    [["--cache-repo=registry.example.com/team/cache"], { cache: { repository: "registry.example.com/team/cache" } }],
    [["--cache=false", "--cache-ttl", "6h"], { cache: { enabled: false, ttl: "6h" } }],
    [["--cache-dir=/tmp", "--verbosity=debug"], { cache: { directory: "/tmp" }, verbosity: "debug" }],
    [["-v", "debug", "--single-snapshot"], { verbosity: "debug", singleSnapshot: true }],
    [["--target", "app", "--label=a=b=c"], { target: "app", labels: { a: "b=c" } }],
    [["--build-arg=A=1", "--build-arg", "B=2"], { buildArgs: { A: "1", B: "2" } }],
    [["--customPlatform=linux/arm64"], { platforms: ["linux/arm64"] }],
    [["--insecure", "--insecure-pull"], { insecure: ["push", "pull"] }],
    [["--skip-tls-verify-pull=1"], { skipTlsVerify: ["pull"] }],
    [["--insecure-registry=a:5000"], { registries: { "a:5000": { http: true } } }],
    [["--skip-tls-verify-registry", "b"], { registries: { b: { insecure: true } } }],
    [["--registry-mirror=a", "--registry-mirror=b"], { registryMirrors: ["a", "b"] }],
  ])("reads %j as options", (args, expected) => {
    const { options, further, issues } = foldFlags({ args }, current);
    expect(issues).toEqual([]);
    expect(further).toEqual([]);
    expect(options).toMatchObject(expected);
  });

  it("lets the flag win over its option, and says so", () => {
    const { options, warnings } = foldFlags({ snapshotMode: "full", args: ["--snapshotMode=redo"] }, current);
    expect(options.snapshotMode).toBe("redo");
    expect(warnings).toEqual([
      '--snapshot-mode=redo in args contradicts the option snapshotMode, which is "full"; the flag wins.',
    ]);
  });

  it.each<[string, FoldableOptions, FoldableOptions, string | undefined]>([
    [
      "--build-arg=A=2",
      { buildArgs: { A: "1", B: "1" } },
      { buildArgs: { A: "2", B: "1" } },
      'buildArgs.A, which is "1"',
    ],
    ["--build-arg=C=2", { buildArgs: { A: "1" } }, { buildArgs: { A: "1", C: "2" } }, undefined],
    ["--target=b", { target: "a" }, { target: "b" }, 'target, which is "a"'],
    ["--custom-platform=linux/arm64", { platforms: ["linux/amd64"] }, { platforms: ["linux/arm64"] }, "platforms"],
    ["--custom-platform=linux/arm64", { platforms: [] }, { platforms: ["linux/arm64"] }, undefined],
    ["--insecure", { insecure: false }, { insecure: ["push"] }, undefined],
    ["--insecure-pull", { insecure: ["push"] }, { insecure: ["push", "pull"] }, undefined],
    ["--insecure=false", { insecure: true }, { insecure: ["pull"] }, "insecure, which is true"],
    [
      "--insecure-registry=a",
      { registries: { a: { http: false } } },
      { registries: { a: { http: true } } },
      "http, which",
    ],
  ])("%s joins %j", (flag, given, expected, conflict) => {
    const { options, warnings } = foldFlags({ ...given, args: [flag] }, current);
    expect(options).toMatchObject(expected);
    if (conflict === undefined) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringContaining(conflict)]);
  });

  it("takes the name alone of a build argument for one of the executor's environment", () => {
    expect(foldFlags({ args: ["--build-arg=A"] }, current).further).toEqual(["--build-arg=A"]);
  });

  it.each([
    ["--snapshot-mode=quick", /snapshotMode/],
    ["--verbosity=loud", /verbosity/],
    ["--cache-ttl=soon", /cache\.ttl .*duration/],
    ["--cache=maybe", /true or false, not "maybe"/],
    ["--cache-repo=r.example.com:5000/c:tag", /cache\.repository .*without a tag or digest/],
    [`--cache-repo=r.example.com/c@sha256:${"0".repeat(64)}`, /cache\.repository .*without a tag or digest/],
  ])("refuses %s, whose value its option does not take", (flag, message) => {
    const { issues } = foldFlags({ args: [flag] }, current);
    expect(issues).toMatchObject([{ path: "args[0]", message: expect.stringMatching(message) as string }]);
  });

  it("keeps the other keys of the cache", () => {
    const { options, warnings } = foldFlags({ cache: { copyLayers: true }, args: ["--cache-ttl=1h"] }, current);
    expect(options.cache).toEqual({ copyLayers: true, ttl: "1h" });
    expect(warnings).toEqual([]);
  });
});

describe("other flags", () => {
  it("hands on what no option stands for, in one form", () => {
    const args = ["--push-retry", "3", "--ignore-path=/a", "--ignore-path", "/b", "--skip-unused-stages"];
    expect(foldFlags({ args }, current).further).toEqual([
      "--push-retry=3",
      "--ignore-path=/a",
      "--ignore-path=/b",
      "--skip-unused-stages=true",
    ]);
  });

  it.each([
    [["--target"], "--target needs a value; write --target=value"],
    [["--cache-repo", "--cache"], "--cache-repo needs a value; write --cache-repo=value"],
    [["--label"], "--label needs a value; write --label=value"],
    [["--snapshotMode"], "--snapshotMode needs a value; write --snapshotMode=value"],
    [["-d", "--force"], "-d needs a value; write -d=value"],
  ])("%j lacks a value, and is not taken for true", (args, message) => {
    expect(foldFlags({ args }, current)).toMatchObject({
      issues: [{ path: "args[0]", message }],
      further: args.includes("--force") ? ["--force=true"] : [],
    });
    expect(foldFlags({ args }, current).options).not.toHaveProperty("target");
  });

  it("takes no value from behind a flag that has none", () => {
    expect(foldFlags({ args: ["--force", "stray"] }, current).issues).toEqual([
      { path: "args[1]", message: '"stray" is no flag; write --name=value' },
    ]);
  });

  it.each([
    ["--snapshoteMode=redo", /no flag --snapshoteMode, did you mean --snapshot-mode\?/],
    ["--image-format=oci", /\(google v1\.24\.0\) has no flag --image-format/],
    ["--context=dir:///workspace", /--context cannot be given: the context of the build is sent/],
    ["--tar-path=/image.tar", /--tar-path cannot be given: archives are outputs/],
  ])("refuses %s by name", (flag, message) => {
    const { issues } = foldFlags({ args: [flag] }, current);
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toBe("args[0]");
    expect(issues[0]?.message).toMatch(message);
  });

  it("lets unknown flags through if it is told to", () => {
    const { issues, further } = foldFlags({ args: ["--brand-new=1", "--another"], allowUnknownFlags: true }, current);
    expect(issues).toEqual([]);
    expect(further).toEqual(["--brand-new=1", "--another=true"]);
  });

  it("knows what a fork and an old release have", () => {
    const fork = executorOf("ghcr.io/osscontainertools/kaniko:v1.28.3", {});
    expect(foldFlags({ args: ["--image-format=oci"] }, fork).issues).toEqual([]);
    const old = executorOf("gcr.io/kaniko-project/executor:v0.23.0", {});
    expect(foldFlags({ args: ["--use-new-run"] }, old).issues[0]?.message).toContain("v0.23.0");
  });
});

describe("the executor of an image", () => {
  it.each([
    ["gcr.io/kaniko-project/executor:v1.24.0-debug", "google", [1, 24, 0]],
    ["ghcr.io/osscontainertools/kaniko:v1.28.3", "osscontainertools", [1, 28, 3]],
    ["docker.io/martizih/kaniko:latest", "osscontainertools", undefined],
    ["cgr.dev/example.com/kaniko:latest", "chainguard", undefined],
    [`registry.example.com:5000/mirror/executor:v1.9.2@sha256:${"0".repeat(64)}`, "google", [1, 9, 2]],
  ])("is read from %s", (image, flavour, version) => {
    expect(executorOf(image, {})).toEqual(version === undefined ? { flavour } : { flavour, version });
  });

  it("is what the options declare", () => {
    expect(executorOf("registry.example.com/builder:7", { flavour: "chainguard", version: "v1.25.16" })).toEqual({
      flavour: "chainguard",
      version: [1, 25, 16],
    });
  });
});
