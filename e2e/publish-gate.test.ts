import type { PublishedImage } from "@slipway/core";
import { copyImage } from "@slipway/registry-client";
import { expect, it } from "vitest";

import { startRegistryPair } from "./publish/registry-pair.ts";
import { createTestImage, pushTestImage } from "./publish/test-image.ts";

it("GATE: what beforeTag refuses is there by its digest, and every tag stays where it was", async () => {
  await using registries = await startRegistryPair();
  const { connect, debian, distribution } = registries;
  const [old, fresh] = [createTestImage(), createTestImage()];
  const source = connect(debian.host);
  await pushTestImage(source, "team/app", "1", old);
  const destinations = [`${distribution.host}/team/app:stable`, `${debian.host}/other/app:stable`];
  const options = { source: `${debian.host}/team/app:1`, destinations, connect };
  await copyImage(options);
  await pushTestImage(source, "team/app", "1", fresh);
  const digests = () =>
    Promise.all(destinations.map(async (name) => (await connect(name.split("/")[0] ?? "").headManifest(name))?.digest));

  const asked: PublishedImage[] = [];
  const refusing = copyImage({
    ...options,
    beforeTag: async (image) => {
      asked.push(image);
      expect(await digests()).toEqual([old.root.digest, old.root.digest]);
      const [reference = ""] = image.references;
      expect((await connect(distribution.host).headManifest(reference))?.digest).toBe(fresh.root.digest);
      throw new Error("CVE-2026-0001 is critical");
    },
  });
  await expect(refusing).rejects.toMatchObject({
    code: "PUBLISH_REFUSED",
    details: { reference: `${distribution.host}/team/app@${fresh.root.digest}` },
  });
  await expect(refusing).rejects.toThrow(/CVE-2026-0001 is critical/);
  expect(await digests()).toEqual([old.root.digest, old.root.digest]);
  const [amd64, arm64] = fresh.manifests;
  expect(asked).toEqual([
    {
      digest: fresh.root.digest,
      references: [
        `${distribution.host}/team/app@${fresh.root.digest}`,
        `${debian.host}/other/app@${fresh.root.digest}`,
      ],
      unchanged: [],
      failed: [],
      platforms: [
        { platform: "linux/amd64", digest: amd64?.digest },
        { platform: "linux/arm64", digest: arm64?.digest },
      ],
    },
  ]);

  const passed = await copyImage({ ...options, beforeTag: () => undefined });
  expect(passed).toMatchObject({ digest: fresh.root.digest, sentBytes: 0 });
  expect(await digests()).toEqual([fresh.root.digest, fresh.root.digest]);
});
