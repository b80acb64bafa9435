import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { computeDigest } from "../manifest.ts";
import { manifestMediaTypes } from "../media-types.ts";
import { createRegistryClient } from "../registry-client.ts";
import { copyImage } from "./copy-image.ts";

const [indexType, manifestType] = manifestMediaTypes;

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

/** A registry that keeps what it is sent in one piece; a path has its bytes, and a manifest its media type. */
async function serve() {
  const content = new Map<string, { readonly bytes: Buffer; readonly mediaType: string }>();
  const puts: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await buffer(request);
    const { method = "", headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    if (method === "POST") return void response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
    if (method === "PUT") {
      const digest = searchParams.get("digest") ?? computeDigest(bytes);
      const entry = { bytes, mediaType: headers["content-type"] ?? "" };
      const isManifest = pathname.includes("/manifests/");
      content.set(isManifest ? pathname : `/v2/app/blobs/${digest}`, entry);
      if (isManifest) content.set(`/v2/app/manifests/${digest}`, entry);
      if (isManifest) puts.push(pathname.replace("/v2/app/manifests/", ""));
      return void response.writeHead(201).end();
    }
    const tags = [...content.keys()].flatMap((path) => /\/manifests\/([^:]+)$/.exec(path)?.[1] ?? []);
    if (pathname.endsWith("/tags/list")) return void response.end(JSON.stringify({ tags }));
    const found = content.get(pathname);
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": found.mediaType,
      "content-length": found.bytes.length,
      "docker-content-digest": computeDigest(found.bytes),
    });
    response.end(method === "HEAD" ? undefined : found.bytes);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createRegistryClient({ registry, retryDelaysMs: [] });
  opened.push(client, server);
  return { registry, client, content, puts };
}

type Registry = Awaited<ReturnType<typeof serve>>;

interface Signature {
  readonly payload: string;
  readonly signature: string;
}

async function push({ registry, client }: Registry, tag: string, signatures: readonly Signature[]): Promise<string> {
  const blob = async (mediaType: string, text: string, annotations?: object) => {
    const bytes = Buffer.from(text);
    const upload = await client.startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    await upload.finish(computeDigest(bytes), { chunk: bytes });
    return { mediaType, digest: computeDigest(bytes), size: bytes.length, ...(annotations && { annotations }) };
  };
  const config = await blob("application/vnd.oci.image.config.v1+json", "{}");
  const layers = await Promise.all(
    signatures.map(({ payload, signature }) =>
      blob("application/vnd.dev.cosign.simplesigning.v1+json", payload, {
        "dev.cosignproject.cosign/signature": signature,
      }),
    ),
  );
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
  await client.putManifest(`${registry}/app:${tag}`, { mediaType: manifestType, bytes });
  return computeDigest(bytes);
}

function signaturesAt({ content }: Registry, tag: string): readonly string[] {
  const { layers } = JSON.parse(String(content.get(`/v2/app/manifests/${tag}`)?.bytes)) as {
    layers: { annotations: Record<string, string> }[];
  };
  return layers.map(({ annotations }) => annotations["dev.cosignproject.cosign/signature"] ?? "");
}

/** Two registries, of which the first has an image with signatures. */
async function withSignedImage(signatures: readonly Signature[]) {
  const [source, target] = [await serve(), await serve()];
  const digest = await push(source, "1", []);
  const tag = `${digest.replace(":", "-")}.sig`;
  const signed = await push(source, tag, signatures);
  const copy = (more: Partial<Parameters<typeof copyImage>[0]> = {}) =>
    copyImage({
      source: `${source.registry}/app:1`,
      destinations: [`${target.registry}/app:1`],
      connect: (registry) => (registry === source.registry ? source.client : target.client),
      ...more,
    });
  return { source, target, tag, digest, signed, copy };
}

const [first, second] = [
  { payload: "p", signature: "first" },
  { payload: "p", signature: "second" },
];
const third = { payload: "q", signature: "third" };

it("GATE: no tag of cosign moves either when beforeTag refuses", async () => {
  const { target, tag, signed, copy } = await withSignedImage([first]);
  const before = await push(target, tag, [third]);
  target.puts.splice(0);
  const refused = copy({ beforeTag: () => Promise.reject(new Error("not signed by us")) });
  await expect(refused).rejects.toMatchObject({ code: "PUBLISH_REFUSED" });
  expect(target.puts.every((name) => name.startsWith("sha256:"))).toBe(true);
  expect(target.puts).toContain(signed);
  expect((await target.client.headManifest(`${target.registry}/app:${tag}`))?.digest).toBe(before);
});

it("signatures that only the destination has are kept beside those of the source", async () => {
  const { target, tag, copy } = await withSignedImage([first, third]);
  await push(target, tag, [second]);
  await copy();
  // `first` and `second` sign the same bytes: only the signature differs.
  expect(signaturesAt(target, tag)).toEqual(["second", "first", "third"]);
  target.puts.splice(0);
  await copy({ beforeTag: () => Promise.reject(new Error("there is nothing to refuse")) });
  expect(target.puts).toEqual([]);
});

it("where the source has all signatures of the destination, the tag gets the digest of the source", async () => {
  const { target, tag, signed, copy } = await withSignedImage([first, second]);
  await push(target, tag, [first]);
  await copy();
  expect((await target.client.headManifest(`${target.registry}/app:${tag}`))?.digest).toBe(signed);
});

it("the gate is asked about signatures that come to an image whose tag is there already", async () => {
  const { source, target, tag, digest, copy } = await withSignedImage([first]);
  await copy();
  await push(source, tag, [first, second]);
  const asked: string[] = [];
  await copy({ beforeTag: (image) => void asked.push(image.digest) });
  expect(asked).toEqual([digest]);
  expect(signaturesAt(target, tag)).toEqual(["first", "second"]);
});

it("a tag of cosign that cannot be joined is left, and reported", async () => {
  const { target, tag, copy } = await withSignedImage([first]);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [] }));
  await target.client.putManifest(`${target.registry}/app:${tag}`, { mediaType: indexType, bytes });
  const warnings: string[] = [];
  await copy({ warn: (message) => warnings.push(message) });
  expect((await target.client.headManifest(`${target.registry}/app:${tag}`))?.digest).toBe(computeDigest(bytes));
  expect(warnings).toEqual([expect.stringContaining(`${target.registry}/app:${tag} was left as it is`)]);
});
