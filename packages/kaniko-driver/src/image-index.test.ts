import { expect, it } from "vitest";

import { imageIndex } from "./image-index.ts";

const descriptor = (kind: string, letter: string) => ({
  mediaType: `application/vnd.${kind}+json`,
  digest: `sha256:${letter.repeat(64)}`,
  sizeBytes: 7,
});
const docker = "docker.distribution.manifest.v2";
const oci = "oci.image.manifest.v1";

it.each([
  [[docker, docker], "application/vnd.docker.distribution.manifest.list.v2+json"],
  [[oci, oci], "application/vnd.oci.image.index.v1+json"],
  [[docker, oci], "application/vnd.oci.image.index.v1+json"],
])("an index of %j is %s", (kinds, expected) => {
  const platforms = ["linux/amd64", "linux/arm/v7"];
  const images = kinds.map((kind, index) => ({
    platform: platforms[index] ?? "",
    descriptor: descriptor(kind, String(index)),
  }));
  const { mediaType, bytes } = imageIndex(images);
  expect(mediaType).toBe(expected);
  expect(JSON.parse(Buffer.from(bytes).toString())).toEqual({
    schemaVersion: 2,
    mediaType,
    manifests: [
      { ...described(images[0]?.descriptor), platform: { os: "linux", architecture: "amd64" } },
      { ...described(images[1]?.descriptor), platform: { os: "linux", architecture: "arm", variant: "v7" } },
    ],
  });
});

function described(image: ReturnType<typeof descriptor> | undefined) {
  return { mediaType: image?.mediaType, digest: image?.digest, size: image?.sizeBytes };
}
