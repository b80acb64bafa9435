import { expect, test, vi } from "vitest";

import type { BuildEvent } from "./build-event.ts";
import type { BuildOptions } from "./build-options.ts";
import { createBuilder } from "./builder.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import type { FoundImage } from "./found-image.ts";
import { contextFolder, someDigest, stubDriver } from "./self-test/stub-driver.ts";

const identity = `sha256:${"b2".repeat(32)}`;
const repository = "registry.example.com/team/api";
const present: FoundImage = {
  digest: someDigest,
  reference: `${repository}@${someDigest}`,
  platforms: [{ platform: "linux/amd64", digest: someDigest }],
  identities: [`sha256:${"c3".repeat(32)}`, identity],
};

interface SkippingCase {
  readonly driver?: Partial<BuilderDriver>;
  readonly options?: Partial<BuildOptions>;
}

/** One build with `skipIfPresent`, of an image that is there unless `driver` says otherwise. */
async function skippingBuild({ driver = {}, options = {} }: SkippingCase = {}) {
  const events: BuildEvent[] = [];
  const recorded: string[] = [];
  let builds = 0;
  const builder = createBuilder({
    driver: stubDriver({
      features: ["skipIfPresent", "context:tar", "outputs:oci", "noCache:stages"],
      build: async () => {
        builds += 1;
        return { digest: someDigest };
      },
      identify: async () => identity,
      find: async () => present,
      recordIdentity: async (image) => void recorded.push(`${image.reference} ${image.identity}`),
      ...driver,
    }),
    onEvent: (event) => events.push(event),
  });
  const tags = [`${repository}:v1`, `${repository}:latest`];
  const run = builder.build({ context: contextFolder(), tags, skipIfPresent: true, ...options });
  const result = await run.result();
  const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  return { result, builds, recorded, warnings, events };
}

test("a build is skipped if every tag stands for an image of the same identity", async () => {
  const { result, builds, recorded, events } = await skippingBuild();
  expect(builds).toBe(0);
  expect(recorded).toEqual([]);
  expect(result).toMatchObject({
    skipped: true,
    steps: [],
    pods: [],
    image: { digest: someDigest, reference: present.reference, tags: [`${repository}:v1`, `${repository}:latest`] },
  });
  expect(result.image?.platforms).toEqual(present.platforms);
  expect(events.find(({ type }) => type === "build-skip")).toMatchObject({ reference: present.reference, identity });
});

const otherDigest = `sha256:${"d4".repeat(32)}`;

test.each<[string, Required<BuilderDriver>["find"]]>([
  ["is not there", async () => undefined],
  ["was built from something else", async () => ({ ...present, identities: [] })],
  [
    "is another one under the second tag",
    async ({ reference }) => (reference.endsWith(":v1") ? present : { ...present, digest: otherDigest }),
  ],
  ["is not there under the second tag", async ({ reference }) => (reference.endsWith(":v1") ? present : undefined)],
])("an image that %s is built, and what it was built from is recorded once per repository", async (_what, find) => {
  const { result, builds, recorded, warnings } = await skippingBuild({ driver: { find } });
  expect([builds, result.skipped]).toEqual([1, undefined]);
  expect(recorded).toEqual([`${present.reference} ${identity}`]);
  expect(warnings).toEqual([]);
});

test("a registry that cannot be asked is no failure: the image is built, with a warning", async () => {
  const find = () => Promise.reject(new Error("connection refused"));
  const { builds, warnings } = await skippingBuild({ driver: { find } });
  expect(builds).toBe(1);
  expect(warnings).toHaveLength(2);
  expect(warnings[0]).toMatch(/v1 is there already is not known.*connection refused/);
});

test("a registry that does not answer keeps nobody for long", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const find: Required<BuilderDriver>["find"] = (_query, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    const building = skippingBuild({ driver: { find } });
    await vi.waitUntil(() => vi.getTimerCount() >= 2, { interval: 1 });
    await vi.advanceTimersByTimeAsync(10_000);
    const { builds, warnings } = await building;
    expect(builds).toBe(1);
    expect(warnings[0]).toMatch(/has not answered within 10 s/);
  } finally {
    vi.useRealTimers();
  }
});

test.each<[string, Required<BuilderDriver>["identify"]]>([
  [
    "have another hash now",
    (() => {
      let count = 0;
      return async () => `sha256:${String(count++).repeat(64)}`;
    })(),
  ],
  [
    "were written to",
    async (_request, _call, options) => {
      if (options === undefined) return identity;
      throw new BuilderError({ code: "CONTEXT_INVALID", message: "a.ts has changed.", details: { path: "a.ts" } });
    },
  ],
])("inputs that %s during the build are not recorded", async (_what, identify) => {
  const { recorded, warnings } = await skippingBuild({ driver: { identify, find: async () => undefined } });
  expect(recorded).toEqual([]);
  expect(warnings.join()).toMatch(/will not be skipped: .*changed/);
});

test("what cannot be recorded is told without secrets, and the build has succeeded", async () => {
  const recordIdentity = () => Promise.reject(new Error("read-only: https://ann:hunter2@registry.example.com"));
  const { result, warnings } = await skippingBuild({ driver: { recordIdentity, find: async () => undefined } });
  expect(result.image?.digest).toBe(someDigest);
  expect(warnings.join()).toMatch(/will not be skipped: read-only/);
  expect(warnings.join()).not.toContain("hunter2");
});

test("inputs without an identity are an error", async () => {
  const identify = () => Promise.reject(new Error("no commit"));
  await expect(skippingBuild({ driver: { identify } })).rejects.toThrow(/no commit/);
});

test("a tar that can be read only once is not built from what is left of it", async () => {
  const once = (async function* () {
    yield new Uint8Array(512);
  })();
  const read: NonNullable<BuilderDriver["identify"]> = async ({ context }) => {
    if (context.type === "tar") for await (const _chunk of context.read());
    return identity;
  };
  const build: BuilderDriver["build"] = async (request, call) => {
    await read(request, call);
    return { digest: someDigest };
  };
  const driver = { identify: read, build, find: async () => undefined };
  const options = { context: { type: "tar" as const, read: () => once } };
  await expect(skippingBuild({ driver, options })).rejects.toMatchObject({ code: "CONTEXT_INVALID" });
});

test.each<[string, Partial<BuildOptions>]>([
  ["noCache", { noCache: true }],
  ["noCache of a stage", { noCache: ["build"] }],
  ["pull", { pull: true }],
  ["an archive", { outputs: [{ type: "push" }, { type: "oci", destination: "out.tar" }] }],
  ["a push by digest", { outputs: [{ type: "push", byDigest: true }] }],
])("skipIfPresent with %s is refused", async (_what, options) => {
  await expect(skippingBuild({ options })).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "skipIfPresent" }] },
  });
});

test("a submitted build cannot be skipped", async () => {
  const submit = async () => {};
  const driver = stubDriver({
    features: ["skipIfPresent"],
    submit,
    identify: async () => identity,
    find: async () => present,
    recordIdentity: async () => {},
  });
  const options = { context: contextFolder(), tags: [`${repository}:v1`], skipIfPresent: true };
  const builder = createBuilder({ driver });
  if (!builder.supports("submit")) throw new Error("There is no submit.");
  await expect(builder.submit(options)).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});

test("a driver that declares skipIfPresent has what it takes", () => {
  expect(() => createBuilder({ driver: stubDriver({ features: ["skipIfPresent"] }) })).toThrow(
    /skipIfPresent without find, identify and recordIdentity/,
  );
});

test("find takes references by tag and by digest, and refuses what is none", async () => {
  const asked: unknown[] = [];
  const driver = stubDriver({
    find: async (query) => {
      asked.push(query);
      return present;
    },
  });
  const builder = createBuilder({ driver });
  if (!builder.supports("find")) throw new Error("There is no find.");
  expect(await builder.find(`${repository}:v1`, { platforms: ["linux/amd64"] })).toEqual(present);
  await builder.find(present.reference);
  expect(asked).toEqual([
    { reference: `${repository}:v1`, platforms: ["linux/amd64"] },
    { reference: present.reference, platforms: [] },
  ]);
  await expect(builder.find("https://registry.example.com/a")).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  await expect(builder.find("a@sha256:short")).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
  await expect(builder.find("a", { platforms: ["amd64"] })).rejects.toMatchObject({ code: "INVALID_OPTIONS" });
});
