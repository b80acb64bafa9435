import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, expect, it } from "vitest";

import { computeDigest } from "../manifest.ts";
import { referrersTag } from "../referrer.ts";
import { createRegistryClient } from "../registry-client.ts";
import type { GraphSource } from "./read-image-graph.ts";
import { readAttached, readImage } from "./read-image-graph.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

interface StoredManifest {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly text: string;
}

function manifestOf(mediaType: string, content: object): StoredManifest {
  const text = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
  return { mediaType, digest: computeDigest(Buffer.from(text)), size: Buffer.byteLength(text), text };
}

function describe({ mediaType, digest, size }: StoredManifest): object {
  return { mediaType, digest, size };
}

const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: computeDigest(Buffer.from("{}")), size: 2 };
const parts = ["a", "b", "c"].map((name) =>
  manifestOf(manifestType, { config, layers: [], annotations: { "org.example.part": name } }),
);
const root = manifestOf(indexType, { manifests: parts.map(describe) });
const subject = parts[1] as StoredManifest;
const signature = manifestOf(manifestType, { config, layers: [], subject: describe(subject) });
const signatures = manifestOf(indexType, { manifests: [describe(signature)] });

interface Manners {
  readonly hasList: boolean;
  /** Of this one it does not tell, and answers as one that keeps none. */
  readonly unlisted?: string;
  /** @defaultValue it does not tell */
  readonly tags?: readonly string[] | "without an end";
}

/** A registry that has the image, and one signature of a part of it. */
async function serve({
  hasList,
  unlisted,
  tags,
}: Manners): Promise<{ readonly source: GraphSource; readonly asked: string[] }> {
  const asked: string[] = [];
  const manifests = new Map<string, StoredManifest>();
  for (const each of [root, ...parts, signature, signatures]) manifests.set(each.digest, each);
  manifests.set("1", root);
  if (!hasList) manifests.set(referrersTag(subject.digest), signatures);
  const send = (response: ServerResponse, { mediaType, digest, text }: Omit<StoredManifest, "size">): void => {
    response.writeHead(200, { "content-type": mediaType, "docker-content-digest": digest }).end(text);
  };
  const listener = ({ url = "" }: IncomingMessage, response: ServerResponse): void => {
    const [, , , what, name = ""] = url.split(/[/?]/);
    asked.push(`${what ?? ""} ${name}`);
    const manifest = what === "manifests" ? manifests.get(name) : undefined;
    const link = `<?last=${asked.length}>; rel="next"`;
    const listed = name === subject.digest ? signatures : manifestOf(indexType, { manifests: [] });
    if (manifest !== undefined) send(response, manifest);
    else if (what === "tags" && tags === "without an end") response.writeHead(200, { link }).end('{"tags":[]}');
    else if (what === "tags" && tags !== undefined) response.end(JSON.stringify({ name: "app", tags }));
    else if (what === "referrers" && hasList && name !== unlisted) send(response, listed);
    else response.writeHead(what === "tags" ? 403 : 404).end();
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createRegistryClient({ registry, retryDelaysMs: [] });
  opened.push(client, server);
  const reference = { registry, repository: "app", tag: "1" };
  return { source: { client, reference, platforms: undefined, signal: new AbortController().signal }, asked };
}

async function readAll(manners: Manners): Promise<{ readonly found: readonly string[]; readonly asked: string[] }> {
  const { source, asked } = await serve(manners);
  const image = await readImage(source);
  asked.splice(0);
  const { referrers } = await readAttached(source, image);
  return { found: referrers.map(({ digest }) => digest), asked };
}

function askedFor(asked: readonly string[], prefix: string): readonly string[] {
  return asked.filter((line) => line.startsWith(prefix));
}

it("a registry that keeps a list of referrers is asked for those of each part", async () => {
  const { found, asked } = await readAll({ hasList: true, tags: ["1"] });
  expect(found).toEqual([signature.digest]);
  expect(askedFor(asked, "referrers ")).toHaveLength([root, ...parts, signature].length);
  expect(askedFor(asked, "manifests sha256-")).toEqual([]);
});

it("a registry that keeps none is asked for it once, and for the tags that it has", async () => {
  const { found, asked } = await readAll({ hasList: false, tags: ["1", referrersTag(subject.digest)] });
  expect(found).toEqual([signature.digest]);
  expect(askedFor(asked, "referrers ")).toEqual([`referrers ${root.digest}`]);
  expect(askedFor(asked, "manifests sha256-")).toEqual([`manifests ${referrersTag(subject.digest)}`]);
});

it.each<Manners>([{ hasList: false }, { hasList: false, tags: "without an end" }])(
  "where nobody can list the tags, each tag that could name referrers is asked for: %o",
  async (manners) => {
    const { found, asked } = await readAll(manners);
    expect(found).toEqual([signature.digest]);
    expect(askedFor(asked, "referrers ")).toHaveLength(1);
    for (const { digest } of [root, ...parts, signature]) expect(asked).toContain(`manifests ${referrersTag(digest)}`);
  },
);

it("a registry that keeps a list, and does not have one image in it, is asked for the others", async () => {
  const { digest: unlisted } = parts[0] as StoredManifest;
  const { source } = await serve({ hasList: true, unlisted });
  const { client, reference } = source;
  const known = {};
  const listed = async (digest: string): Promise<number> =>
    (await client.listReferrers({ registry: reference.registry, repository: "app", digest }, { known })).length;
  expect(await listed(root.digest)).toBe(0);
  expect(await listed(unlisted)).toBe(0);
  expect(await listed(subject.digest)).toBe(1);
});
