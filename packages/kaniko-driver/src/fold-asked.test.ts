import type { BuildOptions } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { executorOf } from "./executor-version.ts";
import { foldAsked } from "./fold-asked.ts";
import { foldFlags } from "./fold-flags.ts";
import { kanikoDriver } from "./kaniko-driver.ts";

const current = executorOf("gcr.io/kaniko-project/executor:v1.24.0", {});
const tags = ["registry.example.com/team/api:v1"];
const given: BuildOptions = { context: ".", tags };
const push = { type: "push" } as const;
const archive = { type: "oci", destination: "image.tar" } as const;
const nothing = { type: "cache-only" } as const;

describe("flags for what more than the executor depends on", () => {
  it.each<[readonly string[], Partial<BuildOptions>, Partial<BuildOptions>, RegExp | undefined]>([
    [["--dockerfile=docker/app"], {}, { dockerfile: "docker/app" }, undefined],
    [["-f", "docker/app"], { dockerfile: "docker/app" }, { dockerfile: "docker/app" }, undefined],
    [
      ["-f=docker/app"],
      { dockerfile: "other" },
      { dockerfile: "docker/app" },
      /option dockerfile, which is "other"; the flag wins/,
    ],
    [
      ["-f=app"],
      { dockerfileInline: "FROM a" },
      { dockerfile: "app", dockerfileInline: undefined },
      /option dockerfileInline/,
    ],
    [["--destination=r.example.com/a:b"], {}, { tags: [...tags, "r.example.com/a:b"] }, undefined],
    [["-d", "r.example.com/a:b"], { tags: undefined }, { tags: ["r.example.com/a:b"] }, undefined],
    [[`--destination=${tags[0] ?? ""}`], {}, { tags }, undefined],
    [["--no-push"], {}, { outputs: [nothing] }, undefined],
    [["--no-push"], { outputs: [push, archive] }, { outputs: [archive] }, /option outputs, which is \["push","oci"\]/],
    [["--no-push=true"], { outputs: [archive] }, { outputs: [archive] }, undefined],
    [["--no-push=false"], {}, { outputs: [push] }, undefined],
    [["--no-push=false"], { outputs: [nothing] }, { outputs: [push] }, /option outputs, which is \["cache-only"\]/],
  ])("%j, %j", (args, options, expected, warning) => {
    const folded = foldAsked({ ...given, ...options }, args, current);
    expect(folded.options).toMatchObject(expected);
    expect(folded.warnings).toEqual(warning === undefined ? [] : [expect.stringMatching(warning)]);
  });

  it("are not handed to the executor a second time", () => {
    const args = ["--dockerfile=app", "-d", "r.example.com/a:b", "--no-push", "--force"];
    expect(foldFlags({ args }, current)).toMatchObject({ issues: [], further: ["--force=true"] });
  });

  it("are read in the options of the driver and of the build", () => {
    const driver = kanikoDriver({ args: ["--destination=r.example.com/a:b"] });
    const { options } = driver.foldOptions(given, { kaniko: { args: ["--no-push", "-f", "app"] } });
    expect(options).toMatchObject({ dockerfile: "app", outputs: [nothing], tags: [...tags, "r.example.com/a:b"] });
  });

  it("leave alone what is no list, which is refused as such", () => {
    const wrong = { context: ".", outputs: "push" } as unknown as BuildOptions;
    expect(() => foldAsked(wrong, ["--dockerfile=app"], current)).not.toThrow();
  });
});
