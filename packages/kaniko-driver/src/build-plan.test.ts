import { Readable } from "node:stream";

import { buildOptionsSchema, parseOptions, type BuildOptions, type Context } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { foldBuild, planBuild } from "./build-plan.ts";
import { isClusterName } from "./build-registries.ts";
import { resolveKanikoDriverOptions, type KanikoBuildOptions, type KanikoDriverOptions } from "./kaniko-options.ts";

const tags = ["registry.example.com/team/api:v1", "registry.example.com/team/api:latest"];

const tar: Context = { type: "tar", read: () => Readable.from([]) };

async function plan(
  driver: KanikoDriverOptions = {},
  build: Partial<BuildOptions> = {},
  kaniko: KanikoBuildOptions = {},
) {
  const dockerfileInline = "ARG BASE=docker.io/library/alpine:3\nFROM $BASE\nWORKDIR /app\nCOPY . /app/src\n";
  const options = parseOptions(buildOptionsSchema, { context: ".", dockerfileInline, tags, ...build }, "test");
  const request = { ...options, id: "1", name: "api", kaniko };
  const folded = foldBuild(request, resolveKanikoDriverOptions(driver));
  const planned = await planBuild(folded);
  return { ...planned, warnings: [...folded.warnings, ...planned.warnings] };
}

describe("the arguments of the executor", () => {
  it("say everything that a build asks for", async () => {
    const { arguments: args } = await plan(
      {},
      {
        ...{ target: "production", buildArgs: { A: "1 2" }, labels: { team: "x" }, platforms: ["linux/amd64"] },
      },
    );
    expect(args).toEqual(
      expect.arrayContaining([
        ...tags.map((tag) => `--destination=${tag}`),
        ...["--target=production", "--build-arg=A=1 2", "--label=team=x", "--custom-platform=linux/amd64"],
        ...["--snapshot-mode=full", "--cache=true", "--cache-repo=registry.example.com/team/api/cache"],
      ]),
    );
  });

  it("are those of the build before those of the driver", async () => {
    const { arguments: args } = await plan(
      { snapshotMode: "redo", cache: { ttl: "1h" } },
      {},
      { snapshotMode: "time" },
    );
    expect(args).toContain("--snapshot-mode=time");
    expect(args).toContain("--cache-ttl=1h");
  });

  it("leave the cache alone where nobody wants it", async () => {
    for (const { arguments: args } of [await plan({ cache: { enabled: false } }), await plan({}, { noCache: true })]) {
      expect(args).toContain("--cache=false");
      expect(args.some((argument) => argument.startsWith("--cache-repo"))).toBe(false);
    }
  });

  it("leave base images alone that may be old, where they shall be pulled", async () => {
    const kept = "--cache-dir=/base-images";
    for (const given of [{ cache: { directory: "/base-images" } }, { args: [kept] }]) {
      expect((await plan({}, {}, given)).arguments).toContain(kept);
      expect((await plan({}, { pull: true }, given)).arguments.join(" ")).not.toContain("--cache-dir");
    }
  });

  it("leave out what an old executor does not have", async () => {
    const { arguments: args } = await plan({ image: "gcr.io/kaniko-project/executor:v1.3.0" });
    expect(args.filter((argument) => /^--(?:image-download|push)-retry/.test(argument))).toEqual([]);
    expect(args).toContain("--snapshotMode=full");
  });

  it("say how each registry is reached", async () => {
    const ca = "-----BEGIN CERTIFICATE-----\n";
    const {
      arguments: args,
      files,
      warnings,
    } = await plan({
      registries: { "a.example.com": { http: true }, "b.example.com": { ca }, "c.example.com": { insecure: true } },
      insecure: ["pull"],
      registryMirrors: ["mirror.example.com"],
    });
    expect(args).toEqual(
      expect.arrayContaining([
        ...["--insecure-pull", "--insecure-registry=a.example.com", "--skip-tls-verify-registry=c.example.com"],
        ...["--registry-certificate=b.example.com=/kaniko/slipway/ca-1.pem", "--registry-mirror=mirror.example.com"],
      ]),
    );
    expect(files["ca-1.pem"]).toBe(ca);
    expect(warnings).toEqual([
      "Connections that others can read or change: plain HTTP to every registry, a.example.com; no certificate check of c.example.com.",
    ]);
  });
});

describe("a plan", () => {
  it("knows what is written and read, each in full", async () => {
    const { references, baseImages } = await plan();
    expect(references).toEqual([...tags, "registry.example.com/team/api/cache", "docker.io/library/alpine:3"]);
    expect(baseImages).toEqual(["docker.io/library/alpine:3"]);
  });

  it.each<[string, string, readonly string[]]>([
    ["alpine:3", "team/app:1", ["docker.io/team/app:1", "docker.io/team/app/cache", "docker.io/library/alpine:3"]],
    ["team/base", "r.io:5000/app", ["r.io:5000/app", "r.io:5000/app/cache", "docker.io/team/base"]],
  ])("reads %s and %s as every engine does", async (base, tag, expected) => {
    const { references } = await plan({}, { dockerfileInline: `FROM ${base}\n`, tags: [tag] });
    expect(references).toEqual(expected);
  });

  it("needs credentials for mirrors", async () => {
    const args = ["--registry-map=gcr.io=m.example.com"];
    const dockerfileInline = "FROM alpine:3\nCOPY --from=gcr.io/a/b /c /d\n";
    const { references, baseImages } = await plan({ registryMirrors: ["hub.example.com"], args }, { dockerfileInline });
    for (const images of [references, baseImages])
      expect(images).toEqual(expect.arrayContaining(["hub.example.com/library/alpine:3", "m.example.com/a/b"]));
  });

  it("warns of a mount that hides what the Dockerfile writes", async () => {
    const mount = { mountPath: "/app", configMap: { name: "settings" } };
    const { warnings } = await plan({ additionalMounts: [mount] });
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(/mount at \/app hides \/app/);
    const build = { dockerfileInline: "FROM x\nARG TO\nCOPY . $TO\n", buildArgs: { TO: "/app" } };
    expect((await plan({ additionalMounts: [mount] }, build)).warnings).toHaveLength(1);
  });

  it("warns of snapshots by time", async () => {
    expect((await plan({ snapshotMode: "time" })).warnings[0]).toMatch(/misses changes.*chown/);
  });

  it.each<[Partial<BuildOptions>, RegExp]>([
    [{ platforms: ["windows/amd64"] }, /Linux only/],
    [{ outputs: [{ type: "push", byDigest: true }] }, /by digest alone/],
  ])("refuses %j", async (options, message) => {
    await expect(plan({}, options)).rejects.toThrow(message);
  });
});

describe("where the context comes from", () => {
  it.each<[KanikoDriverOptions, Partial<BuildOptions>, string, boolean]>([
    [{}, {}, "--context=tar://stdin", false],
    [{ workspace: {} }, {}, "--context=dir:///kaniko/context", true],
    [{ executor: { version: "v0.19.0" } }, {}, "--context=dir:///kaniko/context", true],
    // Only folders are kept in a workspace.
    [{ workspace: {} }, { context: tar }, "--context=tar://stdin", false],
  ])("%j, %j: %s", async (driver, build, argument, isKept) => {
    const { arguments: args, workspace } = await plan(driver, build);
    expect(args[0]).toBe(argument);
    expect(workspace !== undefined).toBe(isKept);
  });

  it("refuses a tar for an executor that cannot read it", async () => {
    await expect(plan({ executor: { version: "v0.19.0" } }, { context: tar })).rejects.toThrow(/older than v0.20.0/);
  });
});

it.each([
  ["registry.builds.svc:5000", true],
  ["registry.builds.svc.cluster.local", true],
  ["registry:5000", true],
  ["registry.example.com", false],
  ["docker.io", false],
])("takes %s for a name of the cluster: %s", (registry, expected) => {
  expect(isClusterName(registry)).toBe(expected);
});
