import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, expect, it } from "vitest";

import { computeDigest } from "../manifest.ts";
import type { RegistryClient } from "../registry-client.ts";
import { createRegistryClient } from "../registry-client.ts";
import { createChunkBuffers } from "./blob-chunks.ts";
import type { BlobDelivery } from "./blob-delivery.ts";
import { createBlobDelivery } from "./blob-delivery.ts";
import { deliverBlob } from "./deliver-blob.ts";
import { leastChunkBytes } from "./push-chunk.ts";

const pieceBytes = 64 * 1024;
const chunkBytes = 256 * 1024;
const bytes = randomBytes(1024 * 1024 + 77);
const blob = { mediaType: "", digest: computeDigest(bytes), sizeBytes: bytes.length, annotations: {} };
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

async function serve(
  listener: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<RegistryClient> {
  const server = createServer((request, response) => void listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createRegistryClient({ registry, retryDelaysMs: [] });
  opened.push(client, server);
  return client;
}

/** A source that notes from where it was read. */
async function serveBlob(): Promise<{ readonly client: RegistryClient; readonly offsets: number[] }> {
  const offsets: number[] = [];
  const client = await serve((request, response) => {
    const offset = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    offsets.push(offset);
    response.setHeader("content-length", bytes.length - offset);
    if (offset > 0) response.setHeader("content-range", `bytes ${offset}-${bytes.length - 1}/${bytes.length}`);
    response.writeHead(offset > 0 ? 206 : 200).end(bytes.subarray(offset));
  });
  return { client, offsets };
}

/** What a destination does with a request in chunked transfer coding. */
interface StreamManners {
  /** After how many bytes the connection ends. */
  readonly cutAfterBytes?: number;
  /** Whether what had arrived by then is forgotten. */
  readonly forgets?: boolean;
  /** What it answers instead of taking it. */
  readonly refusal?: number;
  /** How many bytes that nobody sent come after those of a stream that was cut, as if they were late. */
  readonly lateBytes?: number;
  /** How much of a whole stream it keeps. */
  readonly keptBytes?: number;
  /** The least that it takes in a `PATCH` with a length. */
  readonly minChunkBytes?: number;
  /** How many bytes more it says that it has. */
  readonly lieBytes?: number;
  readonly onBytes?: (receivedBytes: number) => void;
}

/** A destination that notes what it was asked. */
async function serveUploads(manners: StreamManners) {
  const log: string[] = [];
  const { minChunkBytes = 0 } = manners;
  const store = { received: Buffer.alloc(0), isOpen: false, cutAt: -1 };
  const answer = (response: ServerResponse, status: number): void => {
    const lastByte = Math.max(0, store.received.length + (manners.lieBytes ?? 0) - 1);
    const demand = minChunkBytes === 0 ? {} : { "oci-chunk-min-length": minChunkBytes };
    const headers = { location: "/v2/app/blobs/uploads/id", range: `0-${lastByte}`, "content-length": 0, ...demand };
    response.writeHead(status, headers).end();
  };
  const take = async (request: IncomingMessage, cutAfterBytes: number): Promise<boolean> => {
    for await (const part of request) {
      store.received = Buffer.concat([store.received, part as Buffer]);
      manners.onBytes?.(store.received.length);
      if (store.received.length < cutAfterBytes) continue;
      store.cutAt = store.received.length;
      request.socket.destroy();
      store.received = Buffer.concat([store.received, Buffer.alloc(manners.lateBytes ?? 0)]);
      if (manners.forgets === true) Object.assign(store, { received: Buffer.alloc(0), isOpen: false });
      return false;
    }
    return true;
  };
  const client = await serve(async (request, response) => {
    const { method = "", headers } = request;
    const isStream = headers["transfer-encoding"] === "chunked";
    log.push([method, ...(isStream ? ["stream"] : []), headers["content-range"] ?? ""].join(" ").trim());
    if (method === "POST") {
      Object.assign(store, { isOpen: true, received: Buffer.alloc(0) });
      answer(response, 202);
    } else if (!store.isOpen) response.writeHead(404).end();
    else if (method === "DELETE") {
      store.isOpen = false;
      response.writeHead(204).end();
    } else if (method === "GET") answer(response, 204);
    else if (isStream && manners.refusal !== undefined) response.writeHead(manners.refusal).end();
    else if (method === "PATCH" && Number(headers["content-length"]) < minChunkBytes) response.writeHead(400).end();
    else if (await take(request, isStream ? (manners.cutAfterBytes ?? Infinity) : Infinity).catch(() => false)) {
      if (isStream) store.received = store.received.subarray(0, manners.keptBytes);
      const isWrong = method === "PUT" && !(manners.lieBytes || store.received.equals(bytes));
      if (isWrong) response.writeHead(400).end(JSON.stringify({ errors: [{ code: "DIGEST_INVALID", message: "" }] }));
      else answer(response, method === "PUT" ? 201 : 202);
    }
  });
  return { client, log, store };
}

/** Delivers the blob from one to the other. */
async function deliver(
  source: RegistryClient,
  destination: RegistryClient,
  streams = { lost: false },
  signal = new AbortController().signal,
): Promise<BlobDelivery> {
  const grace = new AbortController().signal;
  const address = { client: destination, repository: "app", blob, mountFrom: undefined, signal, graceSignal: grace };
  const delivery = createBlobDelivery({ ...address, streams, onReceived: () => undefined });
  const buffers = { stream: createChunkBuffers(pieceBytes), chunks: createChunkBuffers(chunkBytes) };
  const from = { client: source, repository: "app", signal };
  await deliverBlob({ source: from, blob, buffers, mayStream: () => !streams.lost }, [delivery]).catch(() => undefined);
  return delivery;
}

it("a blob travels in one request of no announced length", async () => {
  const source = await serveBlob();
  const { client, log, store } = await serveUploads({});
  expect(await deliver(source.client, client)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  expect(log).toEqual(["POST", "PATCH stream", "PUT"]);
});

it("a stream that was cut goes on in chunks where the registry says that it is, read again from there", async () => {
  const source = await serveBlob();
  const streams = { lost: false };
  const { client, log, store } = await serveUploads({ cutAfterBytes: 500_000 });
  expect(await deliver(source.client, client, streams)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  const [, again = 0] = source.offsets;
  expect(source.offsets).toHaveLength(2);
  expect(again).toBeLessThanOrEqual(store.cutAt);
  expect(store.cutAt - again).toBeLessThan(pieceBytes);
  const asked = log.filter((line) => line !== "GET");
  expect(asked.slice(0, 3)).toEqual(["POST", "PATCH stream", `PATCH ${store.cutAt}-${store.cutAt + chunkBytes - 1}`]);
  expect(asked.at(-1)).toBe("PUT");
  expect(asked).not.toContain("DELETE");
  // It keeps what arrives: the next blob is streamed, too.
  expect(streams.lost).toBe(false);
});

it("a registry that forgets a stream whose connection ended gets the blob in chunks, and the next one as well", async () => {
  const source = await serveBlob();
  const streams = { lost: false };
  const { client, log, store } = await serveUploads({ cutAfterBytes: 500_000, forgets: true });
  expect(await deliver(source.client, client, streams)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  expect(source.offsets).toEqual([0, 0]);
  expect(log.slice(0, 5)).toEqual(["POST", "PATCH stream", "GET", "POST", `PATCH 0-${chunkBytes - 1}`]);
  expect(streams.lost).toBe(true);
});

it("what a cut stream had left on its way and got between is found out at the end, and the blob sent anew", async () => {
  const source = await serveBlob();
  const { client, log, store } = await serveUploads({ cutAfterBytes: 500_000, lateBytes: 100 });
  expect(await deliver(source.client, client)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  expect(log.filter((line) => line === "POST" || line === "DELETE")).toEqual(["POST", "DELETE", "POST"]);
});

it.each([411, 400, 501])(
  "a registry that refuses what has no announced length with %i gets chunks, and is not tried again",
  async (refusal) => {
    const source = await serveBlob();
    const streams = { lost: false };
    const { client, log, store } = await serveUploads({ refusal });
    expect(await deliver(source.client, client, streams)).toMatchObject({ state: "sent" });
    expect(store.received.equals(bytes)).toBe(true);
    expect(log.filter((line) => line === "POST")).toHaveLength(1);
    store.received = Buffer.alloc(0);
    expect(await deliver(source.client, client, streams)).toMatchObject({ state: "sent" });
    expect(log.filter((line) => line === "PATCH stream")).toHaveLength(1);
  },
);

it.each([
  ["from the start", { refusal: 411 }, ["PATCH 0-399999", "PATCH 400000-799999"]],
  ["where a stream was cut", { cutAfterBytes: 300_000 }, ["PATCH <cut>-<cut+399999>"]],
])("a registry that demands larger chunks gets them, %s", async (_name, manners, chunks) => {
  const source = await serveBlob();
  const { client, log, store } = await serveUploads({ ...manners, minChunkBytes: 400_000 });
  expect(await deliver(source.client, client)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  const sent = chunks.map((line) =>
    line.replace("<cut>", `${store.cutAt}`).replace("<cut+399999>", `${store.cutAt + 399_999}`),
  );
  expect(log.filter((line) => line.startsWith("PATCH ") && line !== "PATCH stream")).toEqual(sent);
});

it.each([
  [5_000_000, 5_000_000],
  [Number.MAX_SAFE_INTEGER, 64 * 1024 * 1024],
])("of a demand for chunks of %i bytes %i are met", (minChunkBytes, met) => {
  expect(leastChunkBytes({ minChunkBytes })).toBe(met);
});

it.each([
  ["a stream that was cut", { cutAfterBytes: 500_000, lieBytes: bytes.length }],
  ["a whole stream", { lieBytes: 1 }],
])("a registry that says it has more than it was sent of %s is refused", async (_name, manners) => {
  const source = await serveBlob();
  const { client, log } = await serveUploads(manners);
  const { state, error } = await deliver(source.client, client);
  expect(state).toBe("failed");
  expect(error).toMatchObject({ code: "REGISTRY_REFUSED" });
  expect(String(error)).toMatch(/says that it has \d+ bytes of an upload of which it was sent \d+/);
  expect(log.at(-1)).toBe("DELETE");
});

it("a registry that keeps less of a whole stream than it was sent gets the rest", async () => {
  const source = await serveBlob();
  const { client, log, store } = await serveUploads({ keptBytes: 300_000 });
  expect(await deliver(source.client, client)).toMatchObject({ state: "sent" });
  expect(store.received.equals(bytes)).toBe(true);
  expect(log.filter((line) => line.startsWith("PATCH"))[1]).toMatch(/^PATCH 300000-/);
});

it("whoever leaves within a stream ends it in order, and cancels what it began", async () => {
  const source = await serveBlob();
  const controller = new AbortController();
  const { client, log, store } = await serveUploads({
    onBytes: (receivedBytes) => {
      if (receivedBytes > 300_000) controller.abort(new Error("the test leaves"));
    },
  });
  const { state } = await deliver(source.client, client, { lost: false }, controller.signal);
  expect(state).not.toBe("sent");
  expect(log).toEqual(["POST", "PATCH stream", "DELETE"]);
  expect(store.isOpen).toBe(false);
  expect(bytes.subarray(0, store.received.length).equals(store.received)).toBe(true);
});
