import { createHash, randomBytes } from "node:crypto";

import type { RegistryClient } from "@slipway/registry-client";

const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociManifest = "application/vnd.oci.image.manifest.v1+json";

/** A descriptor as manifests have it. */
export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A manifest or index and its digest. */
export interface TestManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly bytes: Buffer;
}

/** An image with attestations, a referrer and a cosign tag, as bytes. */
export interface TestImage {
  readonly root: TestManifest;
  /** In the order in which they can be pushed. */
  readonly manifests: readonly TestManifest[];
  readonly referrer: TestManifest;
  readonly cosign: TestManifest & { readonly tag: string };
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly blobBytes: number;
}

/** What an image is made of. */
export interface TestImageOptions {
  /** Each gets layers of its own. @defaultValue linux/amd64 and linux/arm64 */
  readonly platforms?: readonly string[];
  /** Sizes of the layers of each platform. @defaultValue one of 100 KB */
  readonly layerBytes?: readonly number[];
}

/** Makes an image of random layers, as BuildKit pushes it with `provenance`. */
export function createTestImage({
  platforms = ["linux/amd64", "linux/arm64"],
  layerBytes = [100_000],
}: TestImageOptions = {}): TestImage {
  const blobs = new Map<string, Buffer>();
  const addBlob = (mediaType: string, bytes: Buffer): TestDescriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const image = (config: object, layers: readonly TestDescriptor[], more: object = {}): TestManifest =>
    manifestOf(ociManifest, {
      schemaVersion: 2,
      mediaType: ociManifest,
      config: addBlob("application/vnd.oci.image.config.v1+json", Buffer.from(JSON.stringify(config))),
      layers,
      ...more,
    });
  const images = platforms.map((platform) => {
    const [os = "", architecture = "", variant] = platform.split("/");
    const layers = layerBytes.map((size) => addBlob("application/vnd.oci.image.layer.v1.tar", randomBytes(size)));
    const fields = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { fields, manifest: image({ ...fields, rootfs: { type: "layers", diff_ids: [] } }, layers) };
  });
  const attestations = images.map(({ manifest }) => {
    const statement = addBlob(
      "application/vnd.in-toto+json",
      Buffer.from(JSON.stringify({ subject: manifest.digest })),
    );
    return {
      of: manifest,
      manifest: image({ architecture: "unknown", os: "unknown", for: manifest.digest }, [statement]),
    };
  });
  const root = manifestOf(ociIndex, {
    schemaVersion: 2,
    mediaType: ociIndex,
    manifests: [
      ...images.map(({ fields, manifest }) => ({ ...descriptorOf(manifest), platform: fields })),
      ...attestations.map(({ of, manifest }) => ({
        ...descriptorOf(manifest),
        platform: { architecture: "unknown", os: "unknown" },
        annotations: {
          "vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": of.digest,
        },
      })),
    ],
  });
  const sbom = addBlob("application/spdx+json", Buffer.from(JSON.stringify({ spdx: root.digest })));
  const referrer = image({ sbom: true }, [sbom], {
    artifactType: "application/spdx+json",
    subject: descriptorOf(root),
    annotations: { "org.example.kind": "sbom" },
  });
  const signature = addBlob(
    "application/vnd.dev.cosign.simplesigning.v1+json",
    Buffer.from(JSON.stringify({ sign: root.digest })),
  );
  const signed = image({ cosign: true }, [signature]);
  return {
    root,
    manifests: [...images, ...attestations].map(({ manifest }) => manifest).concat(root),
    referrer,
    cosign: { ...signed, tag: `${root.digest.replace(":", "-")}.sig` },
    blobs,
    blobBytes: [...blobs.values()].reduce((sum, { length }) => sum + length, 0),
  };
}

/** Pushes an image under a tag, with all that belongs to it. */
export async function pushTestImage(
  client: RegistryClient,
  repository: string,
  tag: string,
  image: TestImage,
): Promise<void> {
  const { registry } = client;
  for (const [digest, bytes] of image.blobs) {
    const upload = await client.startUpload(repository);
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    await upload.finish(digest, { chunk: bytes });
  }
  for (const manifest of [...image.manifests, image.referrer])
    await client.putManifest({ registry, repository, digest: manifest.digest }, manifest);
  await client.putManifest({ registry, repository, tag: image.cosign.tag }, image.cosign);
  await client.putManifest({ registry, repository, tag }, image.root);
}

function manifestOf(mediaType: string, content: object): TestManifest {
  const bytes = Buffer.from(JSON.stringify(content, undefined, 2));
  return { mediaType, digest: digestOf(bytes), bytes };
}

function descriptorOf({ mediaType, digest, bytes }: TestManifest): TestDescriptor {
  return { mediaType, digest, size: bytes.length };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
