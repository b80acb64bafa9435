import { randomBytes } from "node:crypto";
import { once } from "node:events";

import { expect, it } from "vitest";

import type { Content } from "../__fixtures__/content.ts";
import { descriptorOf, indexType, manifestOf, manifestType } from "../__fixtures__/content.ts";
import type { LocalServer } from "../__fixtures__/local-server.ts";
import { startLocalServer } from "../__fixtures__/local-server.ts";
import { computeDigest } from "../manifest.ts";
import { createRegistryClient } from "../registry-client.ts";
import { copyImage } from "./copy-image.ts";

const octets = "application/octet-stream";
const config: Content = { mediaType: octets, bytes: Buffer.from('{"os":"linux","architecture":"amd64"}') };
const layer: Content = { mediaType: octets, bytes: randomBytes(2_000_000) };
const proof: Content = { mediaType: octets, bytes: randomBytes(3_000) };
const image = manifestOf(manifestType, { config: descriptorOf(config), layers: [descriptorOf(layer)] });
// Made of one blob that the image has, and of one that it has not.
const signature = manifestOf(manifestType, {
  ...{ config: descriptorOf(config), layers: [descriptorOf(proof)], subject: descriptorOf(image) },
});
const imageDigest = computeDigest(image.bytes);
const proofDigest = computeDigest(proof.bytes);
const layerDigest = computeDigest(layer.bytes);

interface SourceManners {
  readonly lacks?: Content;
  /** Nothing of the layer comes before it is settled. */
  readonly released?: Promise<unknown>;
  /** Nothing of it ever comes. */
  readonly stalled?: Content;
  /** No list of referrers comes before it is settled. */
  readonly told?: Promise<unknown>;
}

const never = new Promise<never>(() => undefined);

/** Serves an image and its signature. */
async function startSource({ lacks, released, stalled, told }: SourceManners): Promise<LocalServer> {
  const all = [config, layer, proof, image, signature].filter((content) => content !== lacks);
  const contents = new Map(all.map((content) => [computeDigest(content.bytes), content]));
  contents.set("1", image);
  const awaited = async (url: string, name: string): Promise<unknown> => {
    if (url.includes("/referrers/")) return await told;
    if (stalled !== undefined && name === computeDigest(stalled.bytes)) return await never;
    return name === layerDigest ? await released : undefined;
  };
  return await startLocalServer(({ method, url = "" }, response) => {
    const name = url.split(/[/?]/).at(-1) ?? "";
    const listed = name === imageDigest ? [descriptorOf(signature)] : [];
    const content = url.includes("/referrers/") ? manifestOf(indexType, { manifests: listed }) : contents.get(name);
    if (content === undefined) return void response.writeHead(404).end();
    const { mediaType, bytes } = content;
    response.writeHead(200, { "content-type": mediaType, "content-length": bytes.length }).flushHeaders();
    if (method === "HEAD") response.end();
    else void awaited(url, name).then(() => response.end(bytes));
  });
}

/** Takes whatever it is sent, and tells which blobs and manifests. */
async function startDestination(): Promise<LocalServer & { readonly stored: string[]; readonly events: EventTarget }> {
  const stored: string[] = [];
  const events = new EventTarget();
  const received = new Map<string, number>();
  const server = await startLocalServer(({ method = "", url = "" }, response, body) => {
    const target = new URL(url, "http://destination");
    const last = target.pathname.split("/").at(-1) ?? "";
    if (method === "GET" || method === "HEAD") response.writeHead(404).end();
    else if (method === "PUT") {
      const name = target.searchParams.get("digest") ?? last;
      stored.push(name);
      response.writeHead(201).end();
      events.dispatchEvent(new Event(name));
    } else {
      const id = method === "POST" ? `upload-${received.size}` : last;
      received.set(id, (received.get(id) ?? 0) + body.length);
      const range = `0-${Math.max(0, (received.get(id) ?? 0) - 1)}`;
      response.writeHead(202, { location: `/v2/copy/blobs/uploads/${id}`, range, "content-length": 0 }).end();
    }
  });
  return { ...server, [Symbol.dispose]: () => server[Symbol.dispose](), stored, events };
}

async function copy(source: LocalServer, destination: LocalServer): Promise<void> {
  await using clients = new AsyncDisposableStack();
  await copyImage({
    source: `${source.host}/app:1`,
    destinations: [`${destination.host}/copy:1`],
    connect: (registry) => clients.use(createRegistryClient({ registry, retryDelaysMs: [] })),
  });
}

it("what refers to an image arrives while a layer of it is on its way, and nothing is sent twice", async () => {
  using destination = await startDestination();
  using source = await startSource({ released: once(destination.events, proofDigest) });
  await copy(source, destination);
  const blobs = [config, layer, proof].map(({ bytes }) => computeDigest(bytes));
  expect(destination.stored.filter((name) => blobs.includes(name)).toSorted()).toEqual(blobs.toSorted());
  expect(destination.stored.indexOf(proofDigest)).toBeLessThan(destination.stored.indexOf(layerDigest));
  // Nothing refers to what is not there yet.
  const order = [layerDigest, imageDigest, "1"].map((name) => destination.stored.indexOf(name));
  expect(order).toEqual(order.toSorted((first, second) => first - second));
  expect(destination.stored).toContain(computeDigest(signature.bytes));
});

it.each<[string, SourceManners]>([
  ["when all else is there", {}],
  ["while what refers to the image is looked for", { told: never }],
])("a layer that the source does not have is the error, %s, and no manifest is stored", async (_, manners) => {
  using destination = await startDestination();
  using source = await startSource({ ...manners, lacks: layer });
  await expect(copy(source, destination)).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining(`${source.host}/app@${layerDigest} is part of the image`) as string,
  });
  expect(destination.stored.filter((name) => ![proofDigest, computeDigest(config.bytes)].includes(name))).toEqual([]);
});

it.each([
  ["read", signature],
  ["copied", proof],
])("what refers to the image and cannot be %s is the error, and ends what is on its way", async (_, lacks) => {
  using destination = await startDestination();
  // Whoever waits for the layer waits for ever.
  using source = await startSource({ lacks, released: never });
  await expect(copy(source, destination)).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining(computeDigest(lacks.bytes)) as string,
  });
  expect(destination.stored).not.toContain(imageDigest);
});

it("a destination that refuses is told of at once, however slow the source is", async () => {
  using source = await startSource({ stalled: config });
  using destination = await startLocalServer(({ method }, response) => {
    response.writeHead(method === "POST" ? 405 : 404).end();
  });
  await expect(copy(source, destination)).rejects.toMatchObject({ code: "REGISTRY_REFUSED", details: { status: 405 } });
});
