import { expect, it } from "vitest";

import type { ContentDescriptor } from "./image-content.ts";
import { keepPlatforms, rewriteIndex } from "./platform-filter.ts";

const child = (digest: string, platform?: string, annotations: Record<string, string> = {}): ContentDescriptor => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest,
  sizeBytes: 1,
  platform,
  annotations,
});
const attestation = (digest: string, of: string): ContentDescriptor =>
  child(digest, "unknown/unknown", {
    "vnd.docker.reference.type": "attestation-manifest",
    "vnd.docker.reference.digest": of,
  });

it("keeps the images of the platforms and their attestations, in their order", () => {
  const children = [
    child("amd64", "linux/amd64"),
    attestation("of-amd64", "amd64"),
    child("arm64", "linux/arm64/v8"),
    attestation("of-arm64", "arm64"),
    child("none"),
  ];
  const kept = (platforms: readonly string[]): readonly string[] =>
    keepPlatforms(children, platforms).map(({ digest }) => digest);
  expect(kept(["linux/arm64"])).toEqual(["arm64", "of-arm64"]);
  expect(kept(["linux/arm64", "linux/amd64"])).toEqual(["amd64", "of-amd64", "arm64", "of-arm64"]);
  expect(kept(["unknown/unknown"])).toEqual([]);
});

it("a rewritten index keeps everything but the entries that are left out", () => {
  const index = {
    schemaVersion: 2,
    annotations: { "org.example.kind": "release" },
    manifests: [
      { digest: "a", size: 1, platform: { os: "linux" } },
      { digest: "b", size: 2 },
      { digest: "c", size: 3, annotations: { x: "y" } },
    ],
  };
  const replaced = new Map([["c", { digest: "d", sizeBytes: 4 }]]);
  const bytes = rewriteIndex(Buffer.from(JSON.stringify(index)), new Set(["a", "c"]), replaced);
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
    ...index,
    manifests: [index.manifests[0], { digest: "d", size: 4, annotations: { x: "y" } }],
  });
});
