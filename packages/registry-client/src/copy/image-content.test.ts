import { expect, it } from "vitest";

import { parseImageContent } from "./image-content.ts";

const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const parse = (mediaType: string, content: unknown) =>
  parseImageContent(mediaType, Buffer.from(JSON.stringify(content)), "registry.example.com/app");
const layer = (letter: string, mediaType = "application/vnd.oci.image.layer.v1.tar+gzip") => ({
  mediaType,
  digest: digest(letter),
  size: 7,
});

it("a manifest names its configuration and layers, without those that may not be passed on", () => {
  const content = parse(ociManifest, {
    config: layer("a", "application/vnd.oci.image.config.v1+json"),
    layers: [
      layer("b"),
      layer("c", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
      layer("d", "application/vnd.oci.image.layer.nondistributable.v1.tar"),
    ],
    subject: { mediaType: ociManifest, digest: digest("e"), size: 3 },
  });
  expect(content.blobs.map((blob) => blob.digest)).toEqual([digest("a"), digest("b")]);
  expect(content).toMatchObject({
    children: [],
    subject: digest("e"),
    configs: [{ digest: digest("a"), sizeBytes: 7 }],
  });
});

it("an index names manifests and indexes; of a BuildKit cache, layers", () => {
  const entry = (letter: string, mediaType: string, more: object = {}) => ({
    mediaType,
    digest: digest(letter),
    size: 1,
    ...more,
  });
  const content = parse(ociIndex, {
    manifests: [
      entry("a", ociManifest, { platform: { os: "linux", architecture: "arm", variant: "v7" } }),
      entry("b", ociIndex),
      entry("c", "application/vnd.oci.image.layer.v1.tar+gzip"),
    ],
  });
  expect(content.children.map((child) => [child.digest, child.platform])).toEqual([
    [digest("a"), "linux/arm/v7"],
    [digest("b"), undefined],
  ]);
  expect(content.blobs.map((blob) => blob.digest)).toEqual([digest("c")]);
});

it.each([
  ["no JSON", "{"],
  ["a list", "[]"],
  ["no layers", JSON.stringify({ config: layer("a") })],
  ["no configuration", JSON.stringify({ layers: [] })],
  ["a digest that is none", JSON.stringify({ config: { digest: "sha256:../../x", size: 1 }, layers: [] })],
  ["a size that is none", JSON.stringify({ config: { digest: digest("a"), size: -1 }, layers: [] })],
])("%s is refused by name", (_name, text) => {
  const parsing = (): unknown => parseImageContent(ociManifest, Buffer.from(text), "registry.example.com/app");
  expect(parsing).toThrow(/registry\.example\.com\/app cannot be read/);
});
