import { describe, expect, it } from "vitest";

import { executorOf } from "./executor-version.ts";
import { foldFlags } from "./fold-flags.ts";
import type { KanikoBuildOptions } from "./kaniko-options.ts";

const current = executorOf("gcr.io/kaniko-project/executor:v1.24.0", {});

describe("flags that an option stands for", () => {
  it.each<[readonly string[], KanikoBuildOptions]>([
    [["--snapshotMode=redo", "--use-new-run"], { snapshotMode: "redo", useNewRun: true }],
    [["--snapshot-mode", "time"], { snapshotMode: "time" }],
    [["--cache-repo=registry.example.com/team/cache"], { cache: { repository: "registry.example.com/team/cache" } }],
    [["--cache=false", "--cache-ttl", "6h"], { cache: { enabled: false, ttl: "6h" } }],
    [["--cache-dir=/tmp", "--verbosity=debug"], { cache: { directory: "/tmp" }, verbosity: "debug" }],
    [["-v", "debug", "--single-snapshot"], { verbosity: "debug", singleSnapshot: true }],
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

  it("takes no value from behind a flag that has none", () => {
    expect(foldFlags({ args: ["--force", "stray"] }, current).issues).toEqual([
      { path: "args[1]", message: '"stray" is no flag; write --name=value' },
    ]);
  });

  it.each([
    ["--snapshoteMode=redo", /no flag --snapshoteMode, did you mean --snapshot-mode\?/],
    ["--image-format=oci", /\(google v1\.24\.0\) has no flag --image-format/],
    ["--context=dir:///workspace", /--context cannot be given: the context of the build is sent/],
    ["--destination=registry.example.com/a:b", /--destination cannot be given: it is tags/],
  ])("refuses %s by name", (flag, message) => {
    const { issues } = foldFlags({ args: [flag] }, current);
    expect(issues).toHaveLength(1);
    expect(issues[0]?.path).toBe("args[0]");
    expect(issues[0]?.message).toMatch(message);
  });

  it("lets unknown flags through if it is told to", () => {
    const { issues, further } = foldFlags({ args: ["--brand-new=1"], allowUnknownFlags: true }, current);
    expect(issues).toEqual([]);
    expect(further).toEqual(["--brand-new=1"]);
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
