import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { copyImage } from "./copy/copy-image.ts";
import { computeDigest } from "./manifest.ts";
import { manifestMediaTypes } from "./media-types.ts";
import type { RegistryClient } from "./registry-client.ts";
import { createRegistryClient } from "./registry-client.ts";

const [indexType, manifestType] = manifestMediaTypes;
const config = Buffer.from("{}");
const image = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: computeDigest(config),
      size: config.length,
    },
    layers: [],
  }),
);

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

/** A registry with what is in `content`, by path; it takes whatever it is sent. */
async function serve(content: Record<string, Buffer>, mediaType: string = manifestType, stated?: string) {
  const requests: string[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const { method = "" } = request;
    const { pathname } = new URL(request.url ?? "", "http://registry");
    requests.push(`${method} ${pathname}`);
    if (method === "PUT") content[pathname] = body;
    if (method === "DELETE") return void response.writeHead(pathname.includes("sha256:") ? 202 : 400).end();
    if (method === "POST") return void response.writeHead(202, { location: "/v2/app/blobs/uploads/1" }).end();
    if (method === "PUT") return void response.writeHead(201).end();
    const found = content[pathname];
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(200, {
      "content-type": mediaType,
      "content-length": found.length,
      "docker-content-digest": stated ?? computeDigest(found),
    });
    response.end(method === "HEAD" ? undefined : found);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  opened.push(server);
  return { registry: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests, content };
}

function connect(
  registry: string,
  mirrors: readonly string[] = [],
  warn: (message: string) => void = () => undefined,
): RegistryClient {
  const client = createRegistryClient({ registry, mirrors, retryDelaysMs: [], keychainCall: { warn } });
  opened.push(client);
  return client;
}

it("a copy asks the destination itself what it has, whatever its mirrors have", async () => {
  const all = (): Record<string, Buffer> => ({
    "/v2/app/manifests/1": image,
    [`/v2/app/manifests/${computeDigest(image)}`]: image,
    [`/v2/app/blobs/${computeDigest(config)}`]: config,
  });
  const [source, mirror, origin] = [await serve(all()), await serve(all()), await serve({})];
  await copyImage({
    source: `${source.registry}/app:1`,
    destinations: [`${origin.registry}/app:1`],
    connect: (registry) => connect(registry, registry === origin.registry ? [mirror.registry] : []),
  });
  expect(mirror.requests).toEqual([]);
  expect(origin.requests).toContain("PUT /v2/app/manifests/1");
  expect(origin.content["/v2/app/manifests/1"]).toEqual(image);
  expect(origin.content["/v2/app/blobs/uploads/1"]).toEqual(config);
});

it("the index of referrers that a push adds to is the registry's, and so is the one that is listed", async () => {
  const subject = `sha256:${"a".repeat(64)}`;
  const path = `/v2/app/manifests/${subject.replace(":", "-")}`;
  const entry = (name: string) => ({ mediaType: manifestType, digest: `sha256:${name.repeat(64)}`, size: 7 });
  const index = (name: string): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [entry(name)] }));
  const origin = await serve({ [path]: index("b") }, indexType);
  const mirror = await serve({ [path]: index("c") }, indexType);
  const client = connect(origin.registry, [mirror.registry]);
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, subject: { digest: subject } }));
  await client.putManifest(`${origin.registry}/app@${computeDigest(bytes)}`, { mediaType: manifestType, bytes });
  const digests = (JSON.parse(String(origin.content[path])) as { manifests: { digest: string }[] }).manifests.map(
    ({ digest }) => digest,
  );
  expect(digests).toEqual([entry("b").digest, computeDigest(bytes)]);
  expect((await client.listReferrers(`${origin.registry}/app@${subject}`)).map(({ digest }) => digest)).toEqual(
    digests,
  );
});

it("a tag that only a mirror has is not put into the registry to be deleted", async () => {
  const origin = await serve({});
  const mirror = await serve({ "/v2/app/manifests/1": image });
  expect(await connect(origin.registry, [mirror.registry]).deleteManifest(`${origin.registry}/app:1`)).toBe(false);
  expect(origin.requests).toEqual(["DELETE /v2/app/manifests/1", "HEAD /v2/app/manifests/1"]);
});

it.each([
  ["a page to log in", Buffer.from("<html>"), undefined],
  ["another image", Buffer.from(JSON.stringify({ schemaVersion: 2, annotations: { other: "image" } })), undefined],
  ["what is not what it says", image, `sha256:${"a".repeat(64)}`],
])("a mirror that serves %s is left out, and the registry itself is asked", async (_, served, stated) => {
  const digest = computeDigest(image);
  const content = (bytes: Buffer): Record<string, Buffer> => ({
    "/v2/app/manifests/1": bytes,
    [`/v2/app/manifests/${digest}`]: bytes,
  });
  const [origin, mirror] = [await serve(content(image)), await serve(content(served), manifestType, stated)];
  const warnings: string[] = [];
  const client = connect(origin.registry, [mirror.registry], (message) => warnings.push(message));
  expect((await client.getManifest(`${origin.registry}/app@${digest}`))?.bytes).toEqual(image);
  expect(await client.headManifest(`${origin.registry}/app@${digest}`)).toMatchObject({ digest });
  // Of a tag nobody knows what it should be: another image may be one from before.
  const isImage = served.includes("annotations");
  expect((await client.getManifest(`${origin.registry}/app:1`))?.bytes).toEqual(isImage ? served : image);
  expect(warnings[0]).toContain(`the mirror ${mirror.registry} was left out: it serves `);
  expect(mirror.requests).toHaveLength(3);
});

it("an image that is asked for directly does not come from a mirror", async () => {
  const [origin, mirror] = [await serve({}), await serve({ "/v2/app/manifests/1": image })];
  const client = connect(origin.registry, [mirror.registry]);
  const reference = `${origin.registry}/app:1`;
  expect(await client.getManifest(reference)).toBeDefined();
  expect(await client.getManifest(reference, { direct: true })).toBeUndefined();
});
