import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createFakeDriver } from "@slipway/testing";
import { BuilderError, createBuilder, wrapDriver } from "slipway";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { fallbackDriver } from "../custom-driver/fallback-driver.ts";
import { podmanDriver } from "../custom-driver/podman-driver.ts";
import { measureBuilds, onlyPushTo } from "../middleware/middleware.ts";

const build = {
  context: ".",
  dockerfileInline: "FROM scratch\nRUN echo hello",
  tags: ["registry.example.com/team/api:v1"],
};

describe("podmanDriver", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "podman-example-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A program that answers as podman does, and notes what it was called with. */
  async function stubPodman(script: string): Promise<string> {
    const program = join(folder, "podman");
    await writeFile(program, `#!/bin/sh\necho "$@" >> ${folder}/calls\n${script}`);
    await chmod(program, 0o755);
    return program;
  }

  it("reports steps, pushes, and returns the digest that was pushed", async () => {
    const digest = `sha256:${"a".repeat(64)}`;
    const program = await stubPodman(`
      case "$1" in
        build) cat >/dev/null; printf 'STEP 1/2: FROM scratch\\n--> Using cache 1f\\nSTEP 2/2: RUN echo hello\\nhello\\n' ;;
        push) echo ${digest} > "$5" ;;
      esac`);
    await using builder = createBuilder({ driver: podmanDriver({ program }) });

    const result = await builder.build({ ...build, podman: { squash: true } }).result();

    expect(result.image?.reference).toBe(`registry.example.com/team/api@${digest}`);
    expect(result.steps.map(({ name, cached }) => ({ name, cached }))).toEqual([
      { name: "FROM scratch", cached: true },
      { name: "RUN echo hello", cached: false },
    ]);
    expect(await readFile(join(folder, "calls"), "utf8")).toContain("--squash");
  });

  it("fails with the step that failed", async () => {
    const program = await stubPodman("echo 'STEP 1/1: RUN false'; echo 'exit status 1' >&2; exit 1");
    await using builder = createBuilder({ driver: podmanDriver({ program }) });

    const failure = await builder
      .build(build)
      .result()
      .catch((error: unknown) => BuilderError.from(error));

    expect(failure).toMatchObject({ code: "BUILD_FAILED", driver: "podman", details: { logTail: "exit status 1\n" } });
  });

  it("refuses what it does not declare, before podman runs", async () => {
    const program = await stubPodman("");
    await using builder = createBuilder({ driver: podmanDriver({ program }) });

    const failure = await builder
      .build({ ...build, sbom: true })
      .result()
      .catch((error: unknown) => BuilderError.from(error));

    expect(failure).toMatchObject({ code: "UNSUPPORTED_FEATURE", details: { features: ["sbom"] } });
    await expect(readFile(join(folder, "calls"))).rejects.toThrow("ENOENT");
  });
});

describe("fallbackDriver", () => {
  it("builds with the second driver when the pod of the first is lost", async () => {
    const lost = new BuilderError({ code: "POD_LOST", message: "gone", details: { namespace: "builds", events: [] } });
    const first = createFakeDriver({ beforeBuild: () => Promise.reject(lost) });
    const second = createFakeDriver();
    await using builder = createBuilder({ driver: fallbackDriver(first, second) });

    await builder.build(build).image();

    expect([first.cluster.builds.size, second.cluster.builds.size]).toEqual([0, 1]);
  });
});

describe("middleware", () => {
  it("measures each build, and refuses tags elsewhere before anything is built", async () => {
    const measured: string[] = [];
    const fake = createFakeDriver();
    const driver = wrapDriver(
      fake,
      measureBuilds((name, _durationMs, outcome) => measured.push(`${name} ${outcome}`)),
      onlyPushTo(["registry.example.com"]),
    );
    await using builder = createBuilder({ driver });

    await builder.build(build).result();
    const failure = await builder
      .build({ ...build, tags: ["elsewhere.example.com/api:v1"] })
      .result()
      .catch((error: unknown) => BuilderError.from(error));

    expect(failure).toMatchObject({ code: "INVALID_OPTIONS" });
    expect(measured).toEqual(["registry.example.com/team/api:v1 succeeded", "elsewhere.example.com/api:v1 failed"]);
    expect(fake.cluster.builds.size).toBe(1);
  });
});
