import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BuilderError, createBuilder } from "@slipway/core";
import type { BuildOptions, DriverEvent, PublishedImage } from "@slipway/core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { FakeCluster } from "./fake-cluster.ts";
import { createFakeDriver } from "./fake-driver.ts";

const source = "registry.example.com/team/api:v1";
const mirror = "mirror.example.com:5000/team/api";
const options = { context: ".", dockerfileInline: "FROM scratch\n", tags: [source] } satisfies BuildOptions;
const twoPlatforms = ["linux/amd64", "linux/arm64"];

let cluster: FakeCluster;
beforeEach(() => {
  cluster = new FakeCluster();
});

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

function startBuilder() {
  return createBuilder({ driver: createFakeDriver({ cluster }) });
}

async function build(further: Partial<BuildOptions> = {}) {
  await using builder = startBuilder();
  return await builder.build({ ...options, ...further }).image();
}

test("publishing names what it has published by digest", async () => {
  const { digest, platforms } = await build({ platforms: twoPlatforms });
  await using builder = startBuilder();
  const beforeTag = vi.fn<(image: PublishedImage) => void>();
  const destinations = [`${mirror}:v1`, "other.example.com/api:v1", `${mirror}:latest`];
  const published = await builder.publish({ source, destinations, beforeTag });
  const [atMirror, atOther] = [`${mirror}@${digest}`, `other.example.com/api@${digest}`];
  expect(published).toMatchObject({ digest, references: [atMirror, atOther, atMirror] });
  expect(beforeTag.mock.calls.map(([image]) => image)).toEqual([
    { digest, references: [atMirror, atOther], unchanged: [], failed: [], platforms },
  ]);
  expect([...destinations, atMirror, atOther].map((name) => cluster.images.get(name))).toEqual(Array(5).fill(digest));
});

test.each([
  { built: "docker.io/team/api:v1", asked: "team/api:v1" },
  { built: "team/api:v1", asked: "docker.io/team/api:v1" },
  { built: "team/api:latest", asked: "team/api" },
  { built: "busybox:1", asked: "index.docker.io/library/busybox:1" },
])("$asked is the image that was pushed as $built, to publish and to find", async ({ built, asked }) => {
  const { digest } = await build({ tags: [built] });
  await using builder = startBuilder();
  expect(await builder.find(asked)).toMatchObject({ digest });
  expect(await builder.publish({ source: asked, destinations: [`${mirror}:v1`] })).toMatchObject({ digest });
});

test("a digest beside a tag says which image it is, wherever the tag is now", async () => {
  const { digest } = await build();
  await build({ labels: { newer: "yes" } });
  await using builder = startBuilder();
  const both = `${source}@${digest}`;
  expect(await builder.find(both)).toMatchObject({ digest, reference: `registry.example.com/team/api@${digest}` });
  expect(await builder.publish({ source: both, destinations: [`${mirror}:v1`] })).toMatchObject({ digest });
  const elsewhere = `registry.example.com/team/other:v1@${digest}`;
  expect(await builder.find(elsewhere)).toBeUndefined();
  const publishing = builder.publish({ source: elsewhere, destinations: [`${mirror}:v1`] });
  await expect(publishing).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
});

test("a dry run counts, and neither asks nor changes anything", async () => {
  const { digest } = await build();
  await using builder = startBuilder();
  const before = [...cluster.images];
  const [beforeTag, onEvent] = [vi.fn(), vi.fn()];
  const destinations = [`${mirror}:v1`];
  const estimated = await builder.publish({ source, destinations, beforeTag, dryRun: true }, { onEvent });
  expect([...cluster.images]).toEqual(before);
  expect(beforeTag).not.toHaveBeenCalled();
  expect(onEvent).not.toHaveBeenCalled();
  expect(estimated.sentBytes).toBeGreaterThan(0);
  expect(estimated).toEqual(await builder.publish({ source, destinations }));
  expect(cluster.images.get(`${mirror}:v1`)).toBe(digest);
});

test("what a destination has is not sent again, and what the source or another destination has in its registry is mounted", async () => {
  await build({ platforms: twoPlatforms });
  await using builder = startBuilder();
  const bytesOf = async (...destinations: string[]) => {
    const { sentBytes, mountedBytes, skippedBytes } = await builder.publish({ source, destinations });
    return { sentBytes, mountedBytes, skippedBytes };
  };
  const first = await bytesOf(`${mirror}:v1`);
  const { sentBytes } = first;
  expect(sentBytes).toBeGreaterThan(0);
  expect(first).toEqual({ sentBytes, mountedBytes: 0, skippedBytes: 0 });
  expect(await bytesOf(`${mirror}:v1`)).toEqual({ sentBytes: 0, mountedBytes: 0, skippedBytes: sentBytes });
  expect(await bytesOf("registry.example.com/team/copy:v1")).toMatchObject({ sentBytes: 0, mountedBytes: sentBytes });
  const twice = await bytesOf("new.example.com/one:v1", "new.example.com/two:v1");
  expect(twice).toEqual({ sentBytes, mountedBytes: sentBytes, skippedBytes: 0 });
});

test("what a test has put under a tag is in that repository", async () => {
  const { digest } = await build();
  cluster.images.set(`${mirror}:1`, digest);
  await using builder = startBuilder();
  const { skippedBytes, ...others } = await builder.publish({ source, destinations: [`${mirror}:2`] });
  expect(skippedBytes).toBeGreaterThan(0);
  expect(others).toMatchObject({ sentBytes: 0, mountedBytes: 0 });
});

test("each repository reports what it has received, also when that is nothing", async () => {
  await build();
  await using builder = startBuilder();
  const publish = async () => {
    const events: DriverEvent[] = [];
    const destinations = [`${mirror}:v1`, `${mirror}:v2`];
    const { sentBytes } = await builder.publish(
      { source, destinations },
      { onEvent: (event) => void events.push(event) },
    );
    const last = { type: "push-progress", reference: `${mirror}:v1`, sentBytes, totalBytes: sentBytes };
    expect(events).toMatchObject([last]);
    return sentBytes;
  };
  expect(await publish()).toBeGreaterThan(0);
  expect(await publish()).toBe(0);
});

test("a choice of platforms makes another image, which has only these", async () => {
  const { digest, platforms } = await build({ platforms: twoPlatforms });
  await using builder = startBuilder();
  const seen: PublishedImage[] = [];
  const publish = async (...wanted: string[]) =>
    builder.publish({
      source,
      destinations: [`${mirror}:${wanted.length}`],
      platforms: wanted,
      beforeTag: (image) => void seen.push(image),
    });
  const published = await publish("linux/arm64/v8");
  expect(published.digest).not.toBe(digest);
  const kept = platforms.filter(({ platform }) => platform === "linux/arm64");
  expect(seen).toMatchObject([{ digest: published.digest, references: published.references, platforms: kept }]);
  const found = await builder.find(`${mirror}:1`, { platforms: ["linux/arm64/v8"] });
  expect(found).toMatchObject({ digest: published.digest, platforms: kept });
  expect(await builder.find(`${mirror}:1`, { platforms: ["linux/amd64"] })).toBeUndefined();
  expect((await publish(...twoPlatforms)).digest, "nothing is left out").toBe(digest);
});

test("an image of one platform stays what it is when just that is asked for", async () => {
  const { digest } = await build();
  await using builder = startBuilder();
  const published = await builder.publish({ source, destinations: [`${mirror}:v1`], platforms: ["linux/amd64"] });
  expect(published.digest).toBe(digest);
});

test.each([
  { platforms: ["linux/amd64", "linux/s390x"], problem: /has linux\/amd64, and linux\/s390x is asked for/ },
  { platforms: [], problem: /name at least one/ },
])("platforms $platforms cannot be published of an image that has one", async ({ platforms, problem }) => {
  await build();
  await using builder = startBuilder();
  const before = [...cluster.images];
  const failing = builder.publish({ source, destinations: [`${mirror}:v1`], platforms });
  await expect(failing).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "platforms" }] },
  });
  await expect(failing).rejects.toThrow(problem);
  expect([...cluster.images]).toEqual(before);
});

test("an image that says nothing of its platforms cannot be chosen from, and can be published whole", async () => {
  const digest = `sha256:${"a".repeat(64)}`;
  cluster.images.set(source, digest);
  await using builder = startBuilder();
  const publish = (platforms?: readonly string[]) =>
    builder.publish({ source, destinations: [`${mirror}:v1`], ...(platforms && { platforms }) });
  await expect(publish(["linux/amd64"])).rejects.toThrow(/says nothing about its platforms/);
  expect((await publish()).digest).toBe(digest);
  expect((await publish()).sentBytes).toBe(0);
});

test("a refused image is there under its digest, and no tag points to it", async () => {
  const { digest } = await build();
  await using builder = startBuilder();
  const refuse = () => {
    throw new Error("the scan found something");
  };
  cluster.images.set(`${mirror}:stable`, "sha256:old");
  const destinations = [`${mirror}:stable`, `${mirror}:new`];
  const reference = `${mirror}@${digest}`;
  // Of the driver too, not only of a builder that has it.
  const credentials = { resolve: async () => [] };
  const call = { signal: new AbortController().signal, emit: () => {}, credentials, logger: console };
  for (const publish of [
    () => builder.publish({ source, destinations, beforeTag: refuse }),
    () => createFakeDriver({ cluster }).publish({ source, destinations, beforeTag: refuse }, call),
  ])
    await expect(publish()).rejects.toMatchObject({ code: "PUBLISH_REFUSED", details: { reference } });
  const there = [...destinations, reference].map((name) => cluster.images.get(name));
  expect(there).toEqual(["sha256:old", undefined, digest]);
});

test("beforeTag is asked only about repositories where a tag would move", async () => {
  const { digest } = await build();
  await using builder = startBuilder();
  const asked: Pick<PublishedImage, "references" | "unchanged">[] = [];
  const beforeTag = ({ references, unchanged }: PublishedImage) => void asked.push({ references, unchanged });
  const publish = (...destinations: string[]) => builder.publish({ source, destinations, beforeTag });
  await publish(`${mirror}:v1`);
  await publish(`${mirror}:v1`);
  const { references } = await publish(`${mirror}:v1`, "other.example.com/api:v1");
  expect(references).toHaveLength(2);
  expect(asked).toEqual([
    { references: [`${mirror}@${digest}`], unchanged: [] },
    { references: [`other.example.com/api@${digest}`], unchanged: [`${mirror}@${digest}`] },
  ]);
});

const other = "other.example.com/api:v1";

/** A failure of a registry that another attempt mends, or does not. */
function refused(destination: string, retryable: boolean) {
  const registry = destination.split("/")[0] ?? "";
  const details = { registry, status: retryable ? 503 : 403, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_REFUSED", message: `${registry} says no.`, details, retryable });
}

/** Publishes where some destinations fail, by whether another attempt mends it. */
async function publishFailing(failing: Readonly<Record<string, boolean>>, destinations: readonly string[]) {
  const { digest } = await build();
  const pushed: string[] = [];
  const beforePush = (destination: string) => {
    pushed.push(destination);
    const retryable = failing[destination];
    if (retryable !== undefined) throw refused(destination, retryable);
  };
  await using builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  const beforeTag = vi.fn<(image: PublishedImage) => void>();
  const error = await builder.publish({ source, destinations, beforeTag }).then(
    () => expect.fail("It was published"),
    (thrown: unknown) => BuilderError.from(thrown),
  );
  return { digest, pushed, error, asked: beforeTag.mock.calls.map(([image]) => image) };
}

test("a destination that fails does not stop the others, and beforeTag is told why it failed", async () => {
  const destinations = [`${mirror}:v1`, `${mirror}:v2`, other];
  const { digest, pushed, error, asked } = await publishFailing({ [`${mirror}:v1`]: true }, destinations);
  expect(pushed, "once for each repository").toEqual([`${mirror}:v1`, other]);
  const failure = { code: "REGISTRY_REFUSED", message: "mirror.example.com:5000 says no." };
  expect(asked).toMatchObject([
    {
      references: [`other.example.com/api@${digest}`],
      unchanged: [],
      failed: [{ reference: `${mirror}@${digest}`, ...failure }],
    },
  ]);
  expect([...destinations, `${mirror}@${digest}`].map((name) => cluster.images.get(name))).toEqual([
    undefined,
    undefined,
    digest,
    undefined,
  ]);
  expect(error).toMatchObject({ code: "REGISTRY_REFUSED", retryable: true, cause: failure });
  expect(error.message).toContain(`${source} to ${mirror}:v1, ${mirror}:v2: ${failure.message} It is at ${other}.`);
});

test.each([
  { retryable: [true, false], decisive: 1 },
  { retryable: [false, false], decisive: 0 },
  { retryable: [true, true], decisive: 0 },
])("the error of several destinations is about the first that no attempt mends: $retryable", async (given) => {
  const destinations = [`${mirror}:v1`, other];
  const [first = false, second = false] = given.retryable;
  const { error, asked } = await publishFailing({ [`${mirror}:v1`]: first, [other]: second }, destinations);
  expect(asked, "nothing is left to refuse").toEqual([]);
  expect(error).toMatchObject({
    code: "REGISTRY_REFUSED",
    retryable: first && second,
    details: { registry: destinations[given.decisive]?.split("/")[0] },
    cause: {
      errors: destinations.map((name) => ({ message: `${name}: ${name.split("/")[0]} says no.` })),
    },
  });
  expect(error.cause).toBeInstanceOf(AggregateError);
});

test("destinations get an image at once, however long one of them waits", async () => {
  await build();
  const { promise: otherIsThere, resolve } = Promise.withResolvers<undefined>();
  const beforePush = async (destination: string) => {
    if (destination !== other) return otherIsThere;
    resolve(undefined);
  };
  await using builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  const events: unknown[] = [];
  const onEvent = ({ type, ...event }: DriverEvent) => void events.push("reference" in event ? event.reference : type);
  const { references } = await builder.publish({ source, destinations: [`${mirror}:v1`, other] }, { onEvent });
  expect(references.map((reference) => reference.split("@")[0])).toEqual([mirror, "other.example.com/api"]);
  expect(events).toEqual([other, `${mirror}:v1`]);
});

test("the order of the destinations decides whose error it is, not which fails first", async () => {
  await build();
  const { promise: otherHasFailed, resolve } = Promise.withResolvers<undefined>();
  const beforePush = async (destination: string) => {
    if (destination === other) resolve(undefined);
    else await otherHasFailed;
    throw refused(destination, false);
  };
  await using builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  const publishing = builder.publish({ source, destinations: [`${mirror}:v1`, other] });
  await expect(publishing).rejects.toMatchObject({ details: { registry: "mirror.example.com:5000" } });
});

test("a deadline ends the wait of a beforePush that takes no notice, and so does close", async () => {
  const { digest } = await build();
  const signals: AbortSignal[] = [];
  const { promise: isOver, resolve } = Promise.withResolvers<undefined>();
  const beforePush = (_: string, { signal }: { readonly signal: AbortSignal }) => {
    signals.push(signal);
    return isOver;
  };
  const builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  const publish = (timeoutMs?: number) =>
    builder.publish({ source, destinations: [other] }, timeoutMs === undefined ? {} : { timeoutMs });
  await expect(publish(20)).rejects.toMatchObject({ code: "TIMEOUT" });
  const aborted = expect(publish()).rejects.toMatchObject({ code: "ABORTED" });
  await vi.waitFor(() => expect(signals).toHaveLength(2));
  await builder.close();
  await aborted;
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  resolve(undefined);
  await isOver;
  expect(cluster.images.has(`other.example.com/api@${digest}`)).toBe(false);
});

test("nothing begins after an abort", async () => {
  await build();
  const controller = new AbortController();
  const pushed: string[] = [];
  const beforePush = (destination: string) => {
    pushed.push(destination);
    controller.abort();
  };
  await using builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  const destinations = [`${mirror}:v1`, other, "third.example.com/api:v1"];
  const publishing = builder.publish({ source, destinations }, { signal: controller.signal });
  await expect(publishing).rejects.toMatchObject({ code: "ABORTED" });
  expect(pushed).toEqual([`${mirror}:v1`]);
});

test("an abort while an image travels is an abort, and a dry run brings no image", async () => {
  const { digest } = await build();
  const controller = new AbortController();
  const beforePush = vi.fn(() => controller.abort(new Error("the test leaves")));
  await using builder = createBuilder({ driver: createFakeDriver({ cluster, beforePush }) });
  await builder.publish({ source, destinations: [other], dryRun: true });
  expect(beforePush).not.toHaveBeenCalled();
  const publishing = builder.publish({ source, destinations: [other] }, { signal: controller.signal });
  await expect(publishing).rejects.toMatchObject({ code: "ABORTED", details: { reason: "the test leaves" } });
  expect(cluster.images.has(`other.example.com/api@${digest}`)).toBe(false);
});

test.each(["goes on", "throws"])("an abort while beforeTag runs moves no tag, when beforeTag %s then", async (then) => {
  const { digest } = await build();
  await using builder = startBuilder();
  const controller = new AbortController();
  const destinations = [`${mirror}:v1`];
  const beforeTag = (_: PublishedImage, call: { readonly signal: AbortSignal }) => {
    controller.abort(new Error("the test leaves"));
    expect(call.signal.aborted).toBe(true);
    if (then === "throws") throw new Error("the scan was cut off");
  };
  const publishing = builder.publish({ source, destinations, beforeTag }, { signal: controller.signal });
  await expect(publishing).rejects.toMatchObject({ code: "ABORTED", details: { reason: "the test leaves" } });
  expect(cluster.images.has(`${mirror}:v1`)).toBe(false);
  expect(cluster.images.get(`${mirror}@${digest}`)).toBe(digest);
});

test("a destination without a tag gets versionTag, one with a tag keeps its own", async () => {
  const { digest } = await build();
  await using builder = startBuilder();
  await builder.publish({ source, destinations: [mirror, "other.example.com/api:v1"], versionTag: "2026-11" });
  expect(cluster.images.get(`${mirror}:2026-11`)).toBe(digest);
  expect(cluster.images.has("other.example.com/api:2026-11")).toBe(false);
  expect(cluster.images.has(mirror)).toBe(false);
});

async function project(): Promise<BuildOptions & { readonly context: string }> {
  const context = await mkdtemp(join(tmpdir(), "fake-publish-"));
  folders.push(context);
  await writeFile(join(context, "Dockerfile"), "FROM scratch\n");
  await Promise.all(["Dockerfile", "."].map((path) => utimes(join(context, path), 1, 1)));
  return { context, tags: [source] };
}

async function publishedTags(builder: ReturnType<typeof startBuilder>): Promise<readonly string[]> {
  await builder.publish({ source, destinations: [mirror] });
  return [...cluster.images.keys()].filter((name) => name.startsWith(`${mirror}:`));
}

test("without versionTag, a hash of what the builder has built the image from", async () => {
  await using builder = startBuilder();
  const sources = await project();
  const { digest } = await builder.build(sources).image();
  const [tag = "", ...others] = await publishedTags(builder);
  expect(tag).toMatch(/:v-[\da-f]{16}$/);
  expect([...others, cluster.images.get(tag)]).toEqual([digest]);
  await builder.build({ ...sources, labels: { team: "a" } }).image();
  expect(await publishedTags(builder), "another image has another version").toHaveLength(2);
});

test("without versionTag, what a build with skipIfPresent has recorded, for another builder too", async () => {
  await using builder = startBuilder();
  await builder.build({ ...(await project()), skipIfPresent: true }).image();
  await using other = startBuilder();
  const tags = await publishedTags(other);
  expect(tags).toEqual([expect.stringMatching(/:v-[\da-f]{16}$/)]);
  expect(await publishedTags(builder), "whoever has built it finds the same").toEqual(tags);
});

test.each([
  { what: "nobody knows what the image was built from", own: false },
  { what: "its files have changed since", own: true },
])("without versionTag, a destination without a tag is refused when $what", async ({ own }) => {
  await using builder = startBuilder();
  const sources = await project();
  await builder.build(sources).image();
  await utimes(join(sources.context, "Dockerfile"), Date.now() / 1000 + 60, Date.now() / 1000 + 60);
  await using other = startBuilder();
  const failing = publishedTags(own ? builder : other);
  await expect(failing).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "versionTag" }] },
  });
  await expect(failing).rejects.toThrow(/Give the tag, or versionTag/);
});
