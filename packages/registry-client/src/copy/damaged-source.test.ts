import { randomBytes } from "node:crypto";

import { expect, it } from "vitest";

import type { LocalServer } from "../__fixtures__/local-server.ts";
import { startLocalServer } from "../__fixtures__/local-server.ts";
import { computeDigest } from "../manifest.ts";
import { createRegistryClient } from "../registry-client.ts";
import { copyImage } from "./copy-image.ts";

const mediaType = "application/vnd.oci.image.manifest.v1+json";

/** Serves an image of one layer, of which one byte has changed since it was pushed. */
async function startSource(layer: Buffer, changedAt: number): Promise<LocalServer> {
  const config = Buffer.from('{"os":"linux","architecture":"amd64"}');
  const describe = (bytes: Buffer): object => ({
    ...{ mediaType: "application/octet-stream", digest: computeDigest(bytes), size: bytes.length },
  });
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, config: describe(config), layers: [describe(layer)] }),
  );
  const damaged = Buffer.from(layer);
  damaged.writeUInt8(layer.readUInt8(changedAt) ^ 1, changedAt);
  const blobs = new Map([
    [computeDigest(config), config],
    [computeDigest(layer), damaged],
  ]);
  return await startLocalServer(({ method, url = "" }, response) => {
    const bytes = url.endsWith("/manifests/1") ? manifest : blobs.get(url.split("/").at(-1) ?? "");
    if (bytes === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": mediaType, "content-length": bytes.length });
    response.end(method === "HEAD" ? undefined : bytes);
  });
}

/** Takes whatever it is sent, and notes which uploads are open and what was stored. */
async function startDestination(): Promise<LocalServer & { readonly open: Set<string>; readonly stored: string[] }> {
  const open = new Set<string>();
  const received = new Map<string, number>();
  const stored: string[] = [];
  const server = await startLocalServer(({ method = "", url = "" }, response, body) => {
    const path = url.split("?")[0] ?? "";
    const id = method === "POST" ? `upload-${received.size}` : (path.split("/").at(-1) ?? "");
    if (method === "GET" || method === "HEAD") return void response.writeHead(404).end();
    if (method === "DELETE") {
      open.delete(id);
      return void response.writeHead(204).end();
    }
    if (method === "PUT") {
      open.delete(id);
      stored.push(path.includes("/uploads/") ? (new URL(url, "http://r").searchParams.get("digest") ?? "") : path);
      return void response.writeHead(201).end();
    }
    open.add(id);
    received.set(id, (received.get(id) ?? 0) + body.length);
    const range = `0-${Math.max(0, (received.get(id) ?? 0) - 1)}`;
    response.writeHead(202, { location: `/v2/copy/blobs/uploads/${id}`, range, "content-length": 0 }).end();
  });
  return { ...server, [Symbol.dispose]: () => server[Symbol.dispose](), open, stored };
}

it.each([
  ["the first of a small layer", 1_000, 0],
  ["the last of a layer that travels in one request", 3_000_000, 2_999_999],
  ["one amid a layer that travels in one request", 3_000_000, 1_500_000],
])("a source with one changed byte, %s, is found out, and no image made of it", async (_name, sizeBytes, changedAt) => {
  const layer = randomBytes(sizeBytes);
  using source = await startSource(layer, changedAt);
  using destination = await startDestination();
  await using clients = new AsyncDisposableStack();
  const copying = copyImage({
    source: `${source.host}/app:1`,
    destinations: [`${destination.host}/copy:1`],
    connect: (registry) => clients.use(createRegistryClient({ registry, retryDelaysMs: [] })),
  });
  await expect(copying).rejects.toMatchObject({
    code: "DIGEST_MISMATCH",
    message: expect.stringContaining(`${source.host}/app@${computeDigest(layer)}`) as string,
  });
  expect(destination.stored.filter((what) => what === computeDigest(layer) || what.includes("/manifests/"))).toEqual(
    [],
  );
  expect([...destination.open]).toEqual([]);
});
