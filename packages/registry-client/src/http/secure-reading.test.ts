import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createCertificate } from "../__fixtures__/certificate.ts";
import type { RegistryRequest } from "../index.ts";
import { createChunkBuffers, readBlobChunks } from "../copy/blob-chunks.ts";
import { createNetworkTransport, createRegistryClient } from "../index.ts";
import { computeDigest } from "../manifest.ts";

const body = randomBytes(3_000_000);
const digest = createHash("sha256").update(body).digest("hex");
/** Blobs whose last buffer is small, behind which the server goes on. */
const tails = [5, 300, 20_000].map((sizeBytes) => {
  const content = randomBytes(2 * 1024 * 1024 + sizeBytes);
  return { sizeBytes, body: content, digest: computeDigest(content) };
});
/** How answers can end, in the names of repositories. */
const framings = ["in-chunks", "to-the-end", "with-a-length"] as const;

function sendFramed(socket: Socket, framing: (typeof framings)[number]): void {
  const length = framing === "with-a-length" ? `content-length: ${body.length}\r\n` : "";
  const coding = framing === "in-chunks" ? "transfer-encoding: chunked\r\n" : "";
  // With the head comes the start of the body.
  const parts = [Buffer.from(`HTTP/1.1 200 OK\r\n${length}${coding}\r\n`)];
  for (let at = 0; at < body.length; at += 32_768) {
    const part = body.subarray(at, at + 32_768);
    parts.push(
      ...(coding === "" ? [part] : [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]),
    );
  }
  socket.end(Buffer.concat([...parts, Buffer.from(coding === "" ? "" : "0\r\n\r\n")]));
}

const servers: Server[] = [];
const sockets = new Set<Socket>();
let port = 0;

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

beforeAll(async () => {
  const server = createTlsServer(createCertificate("DNS:localhost"), (socket) => {
    socket
      .on("error", () => undefined)
      .once("data", (head: Buffer) => {
        const framing = framings.find((each) => head.includes(each));
        if (framing !== undefined) {
          if (head.includes("HEAD ")) socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
          else sendFramed(socket, framing);
          return;
        }
        const tail = tails.find(({ digest: wanted }) => head.includes(wanted));
        if (tail !== undefined) {
          socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${tail.body.length}\r\n\r\n`);
          socket.write(tail.body);
          for (const surplus of ["HTTP/1.1 200 OK\r\n", "what nobody has asked for"]) socket.write(surplus.repeat(20));
          return;
        }
        socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`);
        // Records of all sizes.
        for (let at = 0, size = 1; at < body.length; at += size, size = ((size * 7) % 20_000) + 1)
          socket.write(body.subarray(at, at + size));
      });
  });
  const secure = await listen(server);
  // Holds bytes back, so that many records come with one read.
  port = await listen(
    createServer((socket) => {
      const upstream = connect(secure, "127.0.0.1").on("error", () => undefined);
      sockets.add(upstream);
      const held: Buffer[] = [];
      let timer: NodeJS.Timeout | undefined;
      socket.pipe(upstream).on("data", (part: Buffer) => {
        held.push(part);
        timer ??= setTimeout(() => {
          timer = undefined;
          socket.write(Buffer.concat(held.splice(0)));
        }, 5);
      });
    }),
  );
});

afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

/** Memory as a copy gives it: buffers of one size, one after the other, of which the next one begins when all of one was asked for. */
function buffersOf(sizeBytes: number) {
  let buffer: Uint8Array = Buffer.alloc(sizeBytes);
  let following: Uint8Array | undefined;
  let doneBytes = 0;
  return {
    memory: (unreadBytes: number): Uint8Array | undefined => {
      const used = doneBytes + unreadBytes;
      if (used < sizeBytes) return buffer.subarray(used);
      following ??= Buffer.alloc(sizeBytes);
      return following.subarray(used - sizeBytes);
    },
    done: (bytes: number): void => {
      for (doneBytes += bytes; doneBytes >= sizeBytes; doneBytes -= sizeBytes) {
        buffer = following ?? Buffer.alloc(sizeBytes);
        following = undefined;
      }
    },
  };
}

const pauses: Record<string, () => Promise<unknown>> = {
  "at once": () => Promise.resolve(),
  "in the next turn": () => delay(0),
  "after a while": () => delay(3),
};
const memories = { "its own memory": undefined, "buffers of 20 kB": 20_000, "buffers of 1 MB": 1_000_000 };
const cases = Object.keys(pauses).flatMap((pause) => Object.keys(memories).map((memory) => [pause, memory] as const));

test.each(cases)("what is read over TLS %s, into %s, is what was sent", async (pause, memory) => {
  const sizeBytes = memories[memory as keyof typeof memories];
  const buffers = sizeBytes === undefined ? undefined : buffersOf(sizeBytes);
  const send = createNetworkTransport({ insecure: true, proxy: false });
  const request: RegistryRequest = {
    method: "GET",
    url: new URL(`https://localhost:${port}/`),
    headers: {},
    signal: AbortSignal.timeout(20_000),
    bulk: buffers?.memory,
  };
  const response = await send(request);
  const hash = createHash("sha256");
  let receivedBytes = 0;
  await pauses[pause]?.();
  for await (const part of response.body ?? []) {
    await pauses[pause]?.();
    hash.update(part);
    receivedBytes += part.byteLength;
    buffers?.done(part.byteLength);
  }
  expect(receivedBytes).toBe(body.length);
  expect(hash.digest("hex")).toBe(digest);
});

test.each(tails.flatMap((tail) => [16_384, 40_000, 262_144].map((chunkBytes) => ({ ...tail, chunkBytes }))))(
  "a blob of 2 MiB and $sizeBytes bytes, in chunks of $chunkBytes, is what was announced, whatever comes behind it",
  async ({ body: content, digest: wanted, chunkBytes }) => {
    const client = createRegistryClient({ registry: `localhost:${port}`, insecure: true, http: false, proxy: false });
    const source = { client, repository: "app", signal: AbortSignal.timeout(20_000) };
    const blob = { digest: wanted, sizeBytes: content.length, mediaType: "", annotations: {} };
    const received: Buffer[] = [];
    for await (const chunk of readBlobChunks(source, blob, createChunkBuffers(chunkBytes))) {
      // The chunk before is still being sent.
      await delay(2);
      received.push(Buffer.from(chunk.bytes));
      chunk.release();
    }
    await client.close();
    expect(Buffer.concat(received).equals(content)).toBe(true);
  },
);

test.each(framings.flatMap((framing) => [1, 5].map((mebibytes) => ({ framing, mebibytes }))))(
  "a blob that comes $framing, read into buffers of $mebibytes MiB while the chunk before is sent, is what was sent",
  async ({ framing, mebibytes }) => {
    const client = createRegistryClient({ registry: `localhost:${port}`, insecure: true, http: false, proxy: false });
    const source = { client, repository: framing, signal: AbortSignal.timeout(20_000) };
    const blob = { digest: `sha256:${digest}`, sizeBytes: body.length, mediaType: "", annotations: {} };
    const received: Buffer[] = [];
    for await (const chunk of readBlobChunks(source, blob, createChunkBuffers(mebibytes * 1024 * 1024))) {
      await delay(3);
      received.push(Buffer.from(chunk.bytes));
      chunk.release();
    }
    await client.close();
    expect(Buffer.concat(received).equals(body)).toBe(true);
  },
);
