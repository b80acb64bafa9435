import { createHash } from "node:crypto";

import { encodeTarHeader, tarEnd, tarPadding } from "../../../dev-cluster/src/tar-writer.ts";
import type { PodRequest, PodResponse } from "./pod-http.ts";

/** Who asks. */
export interface RegistryUser {
  readonly name: string;
  readonly password: string;
}

/** A registry and its token server as a test reaches them, with none of the code that is tested. */
export interface RegistryPeer {
  send(request: PodRequest): Promise<PodResponse>;
  /** The `Authorization` header for a request. */
  authorize(user: RegistryUser, scopes: readonly string[]): Promise<string>;
}

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The HTTP status that a user gets for a manifest. */
export async function manifestStatus(
  peer: RegistryPeer,
  user: RegistryUser | undefined,
  { repository, reference }: { readonly repository: string; readonly reference: string },
): Promise<number> {
  const headers = await headersFor(peer, user, [`repository:${repository}:pull`]);
  const path = `/v2/${repository}/manifests/${reference}`;
  return (await peer.send({ method: "HEAD", path, headers: { ...headers, accept: `${manifestType}, ${indexType}` } }))
    .status;
}

/** The tags of a repository, without those under which registries that list no referrers keep them. */
export async function listTags(peer: RegistryPeer, user: RegistryUser, repository: string): Promise<readonly string[]> {
  const headers = await headersFor(peer, user, [`repository:${repository}:pull`]);
  const { body } = await expectStatus(200, peer, { path: `/v2/${repository}/tags/list`, headers });
  const { tags } = JSON.parse(body.toString()) as { tags: readonly string[] | null };
  return (tags ?? []).filter((tag) => !tag.startsWith("sha256-"));
}

/** Uploads an image of one layer that has these files, and returns its digest. */
export async function uploadImage(
  peer: RegistryPeer,
  user: RegistryUser,
  { repository, tag, files }: { repository: string; tag: string; files: Readonly<Record<string, string>> },
): Promise<string> {
  const scope = [`repository:${repository}:pull,push`];
  const headers = async () => headersFor(peer, user, scope);
  const layer = archive(files);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const rootfs = { type: "layers", diff_ids: [digestOf(layer)] };
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs }));
  for (const blob of [layer, config]) await uploadBlob(peer, await headers(), repository, blob);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: describe("application/vnd.oci.image.config.v1+json", config),
    layers: [describe("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  await expectStatus(201, peer, {
    method: "PUT",
    path: `/v2/${repository}/manifests/${tag}`,
    headers: { ...(await headers()), "content-type": manifestType },
    body: manifest,
  });
  return digestOf(Buffer.from(manifest));
}

/** Everything that an image is made of: its manifests, configs and layers as the registry has them. */
export async function downloadImage(
  peer: RegistryPeer,
  user: RegistryUser,
  { repository, reference }: { readonly repository: string; readonly reference: string },
): Promise<readonly Buffer[]> {
  const headers = await headersFor(peer, user, [`repository:${repository}:pull`]);
  const accept = { ...headers, accept: `${manifestType}, ${indexType}` };
  const { body } = await expectStatus(200, peer, {
    path: `/v2/${repository}/manifests/${reference}`,
    headers: accept,
  });
  const { manifests, config, layers } = JSON.parse(body.toString()) as {
    manifests?: readonly Descriptor[];
    config?: Descriptor;
    layers?: readonly Descriptor[];
  };
  const parts = [body];
  for (const { digest } of manifests ?? []) {
    parts.push(...(await downloadImage(peer, user, { repository, reference: digest })));
  }
  for (const { digest } of [...(config === undefined ? [] : [config]), ...(layers ?? [])]) {
    const path = `/v2/${repository}/blobs/${digest}`;
    parts.push((await expectStatus(200, peer, { path, headers })).body);
  }
  return parts;
}

async function headersFor(
  peer: RegistryPeer,
  user: RegistryUser | undefined,
  scopes: readonly string[],
): Promise<Record<string, string>> {
  return user === undefined ? {} : { authorization: await peer.authorize(user, scopes) };
}

async function uploadBlob(
  peer: RegistryPeer,
  headers: Record<string, string>,
  repository: string,
  blob: Buffer,
): Promise<void> {
  const started = await expectStatus(202, peer, { method: "POST", path: `/v2/${repository}/blobs/uploads/`, headers });
  const location = new URL(String(started.headers.location), "http://registry");
  location.searchParams.set("digest", digestOf(blob));
  await expectStatus(201, peer, {
    method: "PUT",
    path: location.href,
    headers: { ...headers, "content-type": "application/octet-stream" },
    body: blob,
  });
}

async function expectStatus(status: number, peer: RegistryPeer, request: PodRequest): Promise<PodResponse> {
  const response = await peer.send(request);
  if (response.status === status) return response;
  throw new Error(
    `${request.method ?? "GET"} ${request.path} was answered ${response.status}: ${response.body.toString()}`,
  );
}

function archive(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([path, content]) => {
    const sizeBytes = Buffer.byteLength(content);
    const header = encodeTarHeader({ path, type: "file", mode: 0o644, sizeBytes });
    return [header, Buffer.from(content), tarPadding(sizeBytes)];
  });
  return Buffer.concat([...parts, tarEnd()]);
}

function describe(mediaType: string, content: Buffer): Descriptor {
  return { mediaType, digest: digestOf(content), size: content.length };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}
