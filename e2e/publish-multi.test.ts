import type { DriverEvent } from "@slipway/core";
import { copyImage, type RegistryClient } from "@slipway/registry-client";
import { expect, it } from "vitest";

import { startRegistryPair, type RegistryPair } from "./publish/registry-pair.ts";
import { createTestImage, pushTestImage, type TestImage } from "./publish/test-image.ts";

const image = createTestImage({
  platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7"],
  layerBytes: [7_000_000, 300_000],
});

/** Everything of the image is at a destination, byte for byte. */
async function expectImage(
  client: RegistryClient,
  repository: string,
  tag: string,
  expected: TestImage,
): Promise<void> {
  const { registry } = client;
  expect((await client.headManifest({ registry, repository, tag }))?.digest).toBe(expected.root.digest);
  expect((await client.headManifest({ registry, repository, tag: expected.cosign.tag }))?.digest).toBe(
    expected.cosign.digest,
  );
  for (const { digest, bytes } of [...expected.manifests, expected.referrer]) {
    const manifest = await client.getManifest({ registry, repository, digest });
    expect(Buffer.from(manifest?.bytes ?? []).equals(bytes), digest).toBe(true);
  }
  const referrers = await client.listReferrers({ registry, repository, digest: expected.root.digest });
  expect(referrers).toMatchObject([{ digest: expected.referrer.digest, artifactType: "application/spdx+json" }]);
  for (const [digest, bytes] of expected.blobs) {
    const received: Uint8Array[] = [];
    for await (const part of (await client.getBlob(repository, digest))?.chunks ?? []) received.push(part);
    expect(Buffer.concat(received).equals(bytes), digest).toBe(true);
  }
}

/** Notes the latest that each destination was reported to have. */
function noteProgress() {
  const latest = new Map<string, DriverEvent<"push-progress">>();
  const onProgress = (event: DriverEvent<"push-progress">): void => void latest.set(event.reference, event);
  return { latest, onProgress };
}

/** The requests at the distribution registry that move bytes of blobs: those before have been written down once a last one has. */
async function blobTraffic({ connect, distribution }: RegistryPair, marker: string): Promise<readonly string[]> {
  await connect(distribution.host).headManifest(`${distribution.host}/marker:${marker}`);
  await expect
    .poll(() => distribution.accessLog().some((line) => line.includes(`/marker/manifests/${marker}`)))
    .toBe(true);
  return distribution.accessLog().filter((line) => /"(POST|PATCH|PUT|GET) \/v2\/\S+\/blobs\//.test(line));
}

it("PUBLISH-MULTI: an index with attestations, a referrer and a signature travels both ways between two kinds of registries, and a second time not at all", async () => {
  await using registries = await startRegistryPair();
  const { connect } = registries;
  const debian = registries.debian.host;
  const distribution = registries.distribution.host;
  await pushTestImage(connect(debian), "team/app", "1", image);

  const { latest, onProgress } = noteProgress();
  const ways = { connect, onProgress };
  const all = { type: "push-progress", sentBytes: image.blobBytes, totalBytes: image.blobBytes };
  const there = { source: `${debian}/team/app:1`, destinations: [`${distribution}/mirror/app:1`], ...ways };
  expect(await copyImage(there)).toEqual({
    digest: image.root.digest,
    references: [`${distribution}/mirror/app@${image.root.digest}`],
    sentBytes: image.blobBytes,
    mountedBytes: 0,
    skippedBytes: 0,
  });
  await expectImage(connect(distribution), "mirror/app", "1", image);
  expect(latest.get(`${distribution}/mirror/app:1`)).toMatchObject(all);

  const back = { source: `${distribution}/mirror/app:1`, destinations: [`${debian}/back/app:1`], ...ways };
  expect(await copyImage(back)).toMatchObject({ digest: image.root.digest, sentBytes: image.blobBytes });
  await expectImage(connect(debian), "back/app", "1", image);

  expect(latest.get(`${debian}/back/app:1`)).toMatchObject(all);

  const before = await blobTraffic(registries, "before");
  expect(before.some((line) => line.includes('"GET /v2/mirror/app/blobs/'))).toBe(true);
  for (const options of [there, back]) {
    expect(await copyImage(options)).toMatchObject({ sentBytes: 0, mountedBytes: 0, skippedBytes: image.blobBytes });
    expect(latest.get(options.destinations[0] ?? "")).toMatchObject({ sentBytes: 0, totalBytes: 0 });
  }
  // Where one of the ways ends and the other begins, nothing was written and nothing read.
  expect((await blobTraffic(registries, "after")).slice(before.length)).toEqual([]);
});

it("PUBLISH-MULTI: one read of the source serves several destinations, and one that fails does not stop the others", async () => {
  await using registries = await startRegistryPair();
  const { connect } = registries;
  const { host: source } = registries.distribution;
  const { host: target } = registries.debian;
  await pushTestImage(connect(source), "team/app", "1", image);
  const readsBefore = registries.distribution.accessLog().length;
  const nobody = "127.0.0.1:1/team/app:1";
  const destinations = [`${target}/a/app:1`, nobody, `${target}/b/app:1`, `${target}/a/app:2`, `${source}/c/app:1`];
  const { latest, onProgress } = noteProgress();
  const copy = copyImage({ source: `${source}/team/app:1`, destinations, connect, onProgress });
  await expect(copy).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  const error = (await copy.catch((thrown: unknown) => thrown)) as Error;
  expect(error.message).toContain(nobody);
  expect(error.message).toContain(`It is at ${destinations[0]}`);
  for (const [destination, sentBytes] of [
    ["a/app:1", image.blobBytes],
    ["b/app:1", 0],
  ] as const)
    expect(latest.get(`${target}/${destination}`)).toMatchObject({ sentBytes, totalBytes: sentBytes });
  expect(latest.get(`${source}/c/app:1`)).toMatchObject({ sentBytes: 0, totalBytes: 0 });

  await expectImage(connect(target), "a/app", "1", image);
  await expectImage(connect(target), "a/app", "2", image);
  await expectImage(connect(target), "b/app", "1", image);
  await expectImage(connect(source), "c/app", "1", image);
  const reads = registries.distribution
    .accessLog()
    .slice(readsBefore)
    .filter((line) => line.includes('"GET /v2/team/app/blobs/'));
  expect(reads).toHaveLength(image.blobs.size);
});

it("PUBLISH-MULTI: within a registry nothing travels, and a dry run says so before", async () => {
  await using registries = await startRegistryPair();
  const { connect } = registries;
  const { host: source } = registries.distribution;
  const { host: elsewhere } = registries.debian;
  await pushTestImage(connect(source), "team/app", "1", image);
  const options = { source: `${source}/team/app:1`, connect };
  const mounted = { sentBytes: 0, mountedBytes: image.blobBytes, skippedBytes: 0 };
  const inside = { ...options, destinations: [`${source}/other/app`], versionTag: "v7" };
  expect(await copyImage({ ...inside, dryRun: true })).toMatchObject(mounted);
  expect(await connect(source).headManifest(`${source}/other/app:v7`)).toBeUndefined();
  expect(await copyImage(inside)).toMatchObject(mounted);
  await expectImage(connect(source), "other/app", "v7", image);
  const outside = { ...options, destinations: [`${elsewhere}/x:1`, `${elsewhere}/y:1`], dryRun: true };
  expect(await copyImage(outside)).toMatchObject({ sentBytes: image.blobBytes, mountedBytes: image.blobBytes });
  await expect(copyImage({ ...options, destinations: [`${elsewhere}/x`] })).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
  });
});

it("PUBLISH-MULTI: a choice of platforms brings their images and attestations, under an index of its own", async () => {
  await using registries = await startRegistryPair();
  const { connect } = registries;
  const { host: source } = registries.debian;
  const { host: target } = registries.distribution;
  await pushTestImage(connect(source), "team/app", "1", image);
  const options = { source: `${source}/team/app:1`, destinations: [`${target}/app:arm`], connect };
  const { digest } = await copyImage({ ...options, platforms: ["linux/arm64/v8", "linux/arm"] });
  expect(digest).not.toBe(image.root.digest);
  const index = await connect(target).getManifest(`${target}/app:arm`);
  expect(index?.digest).toBe(digest);
  const { manifests } = JSON.parse(Buffer.from(index?.bytes ?? []).toString()) as { manifests: { digest: string }[] };
  const [, arm64, armv7, , ofArm64, ofArmv7] = image.manifests;
  expect(manifests.map((entry) => entry.digest)).toEqual([arm64, armv7, ofArm64, ofArmv7].map((kept) => kept?.digest));
  await expect(copyImage({ ...options, platforms: ["linux/s390x"] })).rejects.toThrow(/linux\/s390x/);
  const all = { ...options, platforms: ["linux/amd64", "linux/arm64", "linux/arm/v7"] };
  expect(await copyImage(all)).toMatchObject({ digest: image.root.digest });
});
