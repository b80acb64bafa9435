import {
  BuilderError,
  buildOptionsSchema,
  parseOptions,
  type BuildOptions,
  type Credential,
  type DriverEvent,
} from "@slipway/core";
import { formatImageReference, type RegistryClient } from "@slipway/registry-client";
import { describe, expect, it } from "vitest";

import { foldBuild } from "./build-plan.ts";
import { resolveKanikoDriverOptions, type KanikoBuildOptions } from "./kaniko-options.ts";
import { askFromPod, askWithoutPod, pushTargets, type PushQuestions } from "./push-check.ts";

const details = { registry: "r", diagnostics: [], triedCredentials: ["somebody"] };
const refused = new BuilderError({ code: "REGISTRY_UNAUTHORIZED", message: "refused", details });
const failing = new BuilderError({
  code: "REGISTRY_UNAVAILABLE",
  message: "503",
  details: { ...details, status: 503 },
});
const unreachable = new BuilderError({ code: "REGISTRY_UNAVAILABLE", message: "no route", details });
const notServed = new BuilderError({ code: "CLUSTER_UNREACHABLE", message: "no Service", details: { server: "s" } });
const notLetIn = new BuilderError({
  code: "FORBIDDEN",
  message: "no rule",
  details: { verb: "get", resource: "pods" },
});

interface Setting {
  readonly build?: Partial<BuildOptions>;
  readonly kaniko?: KanikoBuildOptions;
  /** What registries or repositories answer; the others let everybody in. */
  readonly answers?: Readonly<Record<string, BuilderError>>;
  /** Why only the pod may be let in. */
  readonly onlyInPod?: string;
  /** What registries accept. */
  readonly accepts?: Readonly<Record<string, Credential>>;
}

function setUp({ build = {}, kaniko = {}, answers = {}, onlyInPod, accepts = {} }: Setting) {
  const given = { context: ".", dockerfileInline: "FROM scratch\n", tags: ["r.example.com/app:1"], ...build };
  const request = { ...parseOptions(buildOptionsSchema, given, "test"), id: "7", name: "api", kaniko };
  const asked: string[] = [];
  const events: DriverEvent[] = [];
  const client = (registry: string): Pick<RegistryClient, "checkPush"> => ({
    checkPush: (named) => {
      const repository = typeof named === "string" ? `${registry}/${named}` : formatImageReference(named);
      asked.push(repository);
      const answer = answers[repository] ?? answers[registry];
      return answer === undefined
        ? Promise.resolve({ source: "somebody", credential: accepts[registry] })
        : Promise.reject(answer);
    },
  });
  const questions: PushQuestions = {
    folded: foldBuild(request, resolveKanikoDriverOptions({})),
    registries: {
      client: client as (registry: string) => RegistryClient,
      onlyInPod: () => Promise.resolve(onlyInPod),
    },
    call: { signal: AbortSignal.timeout(60_000), emit: (event) => void events.push(event) },
  };
  const ask = () => askWithoutPod(questions, "builds");
  const warnings = () => events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  return { questions, asked, ask, warnings };
}

const cacheTaken = { isCacheRefused: false };
const remedy = /: name another kaniko\.cache\.repository, or set kaniko\.cache\.enabled to false\.$/;
const missing = new BuilderError({
  ...{ code: "REPOSITORY_NOT_FOUND", message: "none" },
  details: { ...details, repository: "app/cache" },
});
const saysRemedy = expect.stringMatching(remedy) as string;
const clusterTag = "registry.builds.svc:5000/app:1";
const both = ["linux/amd64", "linux/arm64"];

describe("what a build writes to", () => {
  it.each<[string, Setting, readonly string[]]>([
    ["its tags and its cache", {}, ["r.example.com/app/cache", "r.example.com/app"]],
    ["no cache", { build: { noCache: true } }, ["r.example.com/app"]],
    ["a cache that is only read", { kaniko: { args: ["--no-push-cache"] } }, ["r.example.com/app"]],
    [
      "a cache and no tag",
      { build: { outputs: [{ type: "docker", destination: "x" }] }, kaniko: { cache: { repository: "cache:5000/c" } } },
      ["cache:5000/c"],
    ],
    [
      "two tags of one repository",
      { build: { noCache: true, tags: ["r.example.com/app:1", "r.example.com/app:2"] } },
      ["r.example.com/app"],
    ],
  ])("%s", (_title, setting, expected) => {
    const { questions } = setUp(setting);
    expect(pushTargets(questions.folded).map(({ registry, repository }) => `${registry}/${repository}`)).toEqual(
      expected,
    );
  });
});

describe("the question before there is a pod", () => {
  it("goes to every repository, those of the cluster too", async () => {
    const { ask, asked } = setUp({ build: { tags: ["r.example.com/app:1", clusterTag] } });
    expect(await ask()).toEqual({
      inside: new Set(["registry.builds.svc:5000"]),
      unasked: [],
      accepted: new Map(),
      ...cacheTaken,
    });
    expect(asked.sort()).toEqual(["r.example.com/app", "r.example.com/app/cache", "registry.builds.svc:5000/app"]);
  });

  it("finds out which credentials each repository takes", async () => {
    const login = (username: string): Credential => ({ source: username, type: "basic", username, password: "p" });
    const accepts = { "r.example.com": login("ann"), "cache.example.com": login("cache") };
    const { ask } = setUp({
      build: { tags: ["r.example.com/app:1", "open.example.com/app:1"] },
      kaniko: { cache: { repository: "cache.example.com/layers" } },
      accepts,
    });
    expect([...(await ask()).accepted].toSorted()).toEqual([
      ["cache.example.com/layers", accepts["cache.example.com"]],
      ["r.example.com/app", accepts["r.example.com"]],
    ]);
  });

  it.each([
    ["r.example.com", refused],
    ["registry:5000", refused],
    ["r.example.com", failing],
  ])("ends the build where %s refuses", async (registry, answer) => {
    const { ask } = setUp({ build: { tags: [`${registry}/app:1`] }, answers: { [registry]: answer } });
    await expect(ask()).rejects.toBe(answer);
  });

  it.each(["cache.builds.svc:5000", "cache:5000", "cache.example.com"])(
    "ends a build that pushes nothing where %s refuses its cache",
    async (registry) => {
      const build: Setting["build"] = { outputs: [{ type: "docker", destination: "x" }], tags: [] };
      const kaniko = { cache: { repository: `${registry}/layers` } };
      const { ask } = setUp({ build, kaniko, answers: { [registry]: refused } });
      await expect(ask()).rejects.toMatchObject({
        code: refused.code,
        details,
        message: saysRemedy,
      });
    },
  );

  it.each([refused, missing, failing])(
    "is a warning where the cache that nobody has named refuses (%s)",
    async (answer) => {
      const { ask, asked, warnings } = setUp({ answers: { "r.example.com/app/cache": answer } });
      expect(await ask()).toMatchObject({ unasked: [], isCacheRefused: true });
      expect(asked).toContain("r.example.com/app");
      expect(warnings()).toEqual([saysRemedy]);
      expect(warnings()[0]).toContain(answer.message);
    },
  );

  it("says nothing of the cache where the tag refuses as well", async () => {
    const { ask, warnings } = setUp({ answers: { "r.example.com": refused } });
    await expect(ask()).rejects.toBe(refused);
    expect(warnings()).toEqual([]);
  });

  it.each([
    ["r.example.com", unreachable],
    ["registry:5000", notServed],
    ["registry.other.svc:5000", notLetIn],
  ])("is left to the pod where %s gives no answer", async (registry, answer) => {
    const kaniko = { cache: { repository: `${registry}/layers` } };
    const { ask, warnings } = setUp({
      build: { outputs: [{ type: "cache-only" }] },
      kaniko,
      answers: { [registry]: answer },
    });
    const { inside, unasked } = await ask();
    expect([...inside]).toContain(registry);
    expect(unasked).toMatchObject([{ registry, repository: "layers" }]);
    expect(warnings()).toEqual([]);
  });

  it.each(["localhost:5000", "registry.corp.internal"])(
    "is left to the pod for %s, who is another one here",
    async (host) => {
      const { ask, asked } = setUp({ build: { tags: [`${host}/app:1`], noCache: true } });
      expect(await ask()).toMatchObject({ inside: new Set([host]), unasked: [{ registry: host, repository: "app" }] });
      expect(asked).toEqual([]);
    },
  );

  it("is not asked if nobody wants to know", async () => {
    const { ask, asked } = setUp({ build: { preflight: false } });
    expect(await ask()).toEqual({
      inside: new Set(["r.example.com"]),
      unasked: [],
      accepted: new Map(),
      ...cacheTaken,
    });
    expect(asked).toEqual([]);
  });

  it("is a warning where only the pod of the build may be let in", async () => {
    const onlyInPod = "service account builder may give the credentials";
    const setting: Setting = { build: { noCache: true }, answers: { "r.example.com": refused }, onlyInPod };
    const { ask, warnings } = setUp(setting);
    expect(await ask()).toEqual({ inside: new Set(), unasked: [], accepted: new Map(), ...cacheTaken });
    expect(warnings()).toEqual([
      expect.stringMatching(/^Whether r\.example\.com\/app can .*: service account builder may give the credentials$/),
    ]);
    // The index of several platforms is pushed from here, where nobody has them.
    await expect(setUp({ ...setting, build: { platforms: both } }).ask()).rejects.toBe(refused);
  });
});

describe("the question from the pod", () => {
  const targets = [{ registry: "registry:5000", repository: "app", takesIndex: false }];

  it("ends the build where the registry refuses", async () => {
    const { questions } = setUp({ answers: { "registry:5000": refused } });
    await expect(askFromPod(targets, questions)).rejects.toBe(refused);
  });

  it("is a warning where the cache that nobody has named refuses, unless nothing else is pushed", async () => {
    const cache = [
      { registry: "registry:5000", repository: "app/cache", takesIndex: false, cache: "default" },
    ] as const;
    const answers = { "registry:5000": refused };
    const { questions, warnings } = setUp({ answers });
    await askFromPod(cache, questions);
    expect(warnings()).toEqual([saysRemedy]);
    const { questions: unpushed } = setUp({ answers, build: { outputs: [{ type: "cache-only" }] } });
    await expect(askFromPod(cache, unpushed)).rejects.toMatchObject({ message: saysRemedy });
  });

  it("is a warning where there is no answer", async () => {
    const { questions, warnings } = setUp({ answers: { "registry:5000": unreachable } });
    await askFromPod(targets, questions);
    expect(warnings()).toEqual([
      "Whether registry:5000/app can be pushed to will only show at the end of the build: no route",
    ]);
  });
});
