import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { FileTree } from "./file-tree.ts";
import { encodeTarHeader, tarEnd, tarPadding } from "./tar-writer.ts";

/** The run configuration of an image, in the words of the OCI image specification. */
export interface ImageConfig {
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
}

/** A content descriptor, as in an OCI manifest. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The parts of an image manifest that are read here. */
export interface ImageManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const created = "1970-01-01T00:00:00Z";

/** Where a blob lies in an OCI layout. */
export function blobPath(layout: string, digest: string): string {
  return join(layout, "blobs", ...digest.split(":"));
}

/** Reads the only manifest of a layout that {@link writeImageLayout} wrote. */
export async function readImageLayout(layout: string): Promise<{ descriptor: Descriptor; manifest: ImageManifest }> {
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as { manifests: Descriptor[] };
  const [descriptor] = index.manifests;
  if (!descriptor) throw new Error(`${layout} holds no image.`);
  return {
    descriptor,
    manifest: JSON.parse(await readFile(blobPath(layout, descriptor.digest), "utf8")) as ImageManifest,
  };
}

/** Writes an image with one layer on top of `base` as an OCI layout. The same input gives the same digests. */
export async function writeImageLayout(
  layout: string,
  image: { reference: string; tree: FileTree; config: ImageConfig; base?: string },
): Promise<void> {
  await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
  const layers = image.base === undefined ? [] : await linkLayers(image.base, layout);
  layers.push(await addLayer(layout, image.tree));
  const config = await addJson(layout, "application/vnd.oci.image.config.v1+json", imageConfig(image.config, layers));
  const manifest = await addJson(layout, manifestType, { schemaVersion: 2, mediaType: manifestType, config, layers });
  const names = {
    "io.containerd.image.name": image.reference,
    "org.opencontainers.image.ref.name": tagOf(image.reference),
  };
  const platform = { architecture: goArchitecture(), os: "linux" };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform, annotations: names }] };
  await writeFile(join(layout, "index.json"), JSON.stringify(index));
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

/** Streams a layout as one tar, as `ctr images import -` takes it. */
export async function* packImageLayout(layout: string): AsyncGenerator<Uint8Array> {
  const { descriptor, manifest } = await readImageLayout(layout);
  const digests = new Set([descriptor, manifest.config, ...manifest.layers].map(({ digest }) => digest));
  const files = ["oci-layout", "index.json", ...[...digests].map((digest) => `blobs/${digest.replace(":", "/")}`)];
  for (const path of files) {
    const sizeBytes = (await stat(join(layout, path))).size;
    yield encodeTarHeader({ path, type: "file", mode: 0o644, sizeBytes });
    yield* createReadStream(join(layout, path), { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
    yield tarPadding(sizeBytes);
  }
  yield tarEnd();
}

/** The architecture by the name that Go and OCI use. */
export function goArchitecture(arch: string = process.arch): string {
  return arch === "x64" ? "amd64" : arch;
}

function tagOf(reference: string): string {
  return reference.slice(reference.lastIndexOf(":") + 1);
}

function imageConfig(config: ImageConfig, layers: readonly Descriptor[]): object {
  const history = layers.map(() => ({ created, created_by: "dev-cluster" }));
  const rootfs = { type: "layers", diff_ids: layers.map(({ digest }) => digest) };
  return { architecture: goArchitecture(), os: "linux", created, config, rootfs, history };
}

async function linkLayers(base: string, layout: string): Promise<Descriptor[]> {
  const { manifest } = await readImageLayout(base);
  for (const { digest } of manifest.layers) await link(blobPath(base, digest), blobPath(layout, digest));
  return [...manifest.layers];
}

async function addLayer(layout: string, tree: FileTree): Promise<Descriptor> {
  const unnamed = join(layout, "layer");
  const { digest, sizeBytes } = await tree.writeLayer(unnamed);
  if (existsSync(blobPath(layout, digest))) await rm(unnamed);
  else await rename(unnamed, blobPath(layout, digest));
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size: sizeBytes };
}

async function addJson(layout: string, mediaType: string, value: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  await writeFile(blobPath(layout, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}
