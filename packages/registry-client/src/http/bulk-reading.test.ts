import { createServer as createHttpServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { computeDigest } from "../manifest.ts";
import { createRegistryClient, type RegistryClient } from "../registry-client.ts";

const blob = Buffer.from("what a layer is made of");
const digest = computeDigest(blob);
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

function connect(server: { address(): unknown } & AsyncDisposable, retries: number): RegistryClient {
  const { port } = server.address() as AddressInfo;
  const retryDelaysMs = Array.from({ length: retries }, () => 1);
  const client = createRegistryClient({ registry: `127.0.0.1:${port}`, retryDelaysMs });
  opened.push(client, server);
  return client;
}

async function serve(listener: RequestListener, retries = 0): Promise<RegistryClient> {
  const server = createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return connect(server, retries);
}

/** A registry that answers with these bytes. */
async function serveRaw(answer: string) {
  let requests = 0;
  const server = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .once("data", () => {
        requests += 1;
        socket.end(answer);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    client: connect(Object.assign(server, { [Symbol.asyncDispose]: async () => void server.close() }), 0),
    requests: () => requests,
  };
}

async function read(client: RegistryClient): Promise<string | undefined> {
  const memory = Buffer.alloc(1024);
  const reader = await client.getBlob("app", digest, { memory: () => memory });
  if (reader === undefined) return undefined;
  let text = "";
  for await (const chunk of reader.chunks) text += Buffer.from(chunk).toString();
  return text;
}

it.each([
  [429, 2, 3, "REGISTRY_UNAVAILABLE"],
  [503, 2, 3, "REGISTRY_UNAVAILABLE"],
  [416, 2, 1, "REGISTRY_REFUSED"],
])(
  "an answer of %i to a read in bulk counts as it is (%i repeats: %i requests)",
  async (status, retries, count, code) => {
    let requests = 0;
    const client = await serve((_request, response) => {
      requests += 1;
      response.writeHead(status).end(JSON.stringify({ errors: [{ code: "X", message: `said with ${status}` }] }));
    }, retries);
    const reading = read(client);
    await expect(reading).rejects.toMatchObject({ code });
    await expect(reading).rejects.toThrow(`said with ${status}`);
    expect(requests).toBe(count);
  },
);

it("a blob that is not there is asked for once", async () => {
  let requests = 0;
  const client = await serve((_request, response) => response.writeHead(++requests && 404).end("no"));
  expect(await read(client)).toBeUndefined();
  expect(requests).toBe(1);
});

it("a blob in chunks is read with the request that it answers", async () => {
  const methods: (string | undefined)[] = [];
  const client = await serve(({ method }, response) => {
    methods.push(method);
    if (method === "HEAD") return void response.writeHead(200, { "content-length": blob.length }).end();
    response.writeHead(200);
    for (const byte of blob) response.write(Buffer.from([byte]));
    response.end();
  });
  expect(await read(client)).toBe(blob.toString());
  expect(methods).toEqual(["GET", "HEAD"]);
});

it("a blob of which much comes with the head of its answer is read, in chunks or with a length", async () => {
  const large = Buffer.alloc(3_000_000, "layer");
  for (const headers of [{}, { "content-length": large.length }]) {
    const client = await serve(({ method }, response) => {
      response.writeHead(200, method === "HEAD" ? { "content-length": large.length } : headers);
      response.end(method === "HEAD" ? undefined : large);
    });
    const reader = await client.getBlob("app", computeDigest(large), { memory: () => undefined });
    if (reader === undefined) throw new Error("the blob is there");
    let sizeBytes = 0;
    for await (const chunk of reader.chunks) sizeBytes += chunk.byteLength;
    expect(sizeBytes).toBe(large.length);
  }
});

it("a redirect is followed in bulk, and what announces an answer is none", async () => {
  const paths: (string | undefined)[] = [];
  const client = await serve(({ url }, response) => {
    paths.push(url);
    response.writeEarlyHints({ link: "</style>; rel=preload" });
    if (url === "/storage") response.writeHead(200, { "content-length": blob.length }).end(blob);
    else response.writeHead(307, { location: "/storage" }).end("elsewhere");
  });
  expect(await read(client)).toBe(blob.toString());
  expect(paths).toEqual([`/v2/app/blobs/${digest}`, "/storage"]);
});

it.each([
  ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx"],
  ["a length that is none", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\nx"],
  ["a length and chunks", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
  [
    "chunks that are none",
    "HTTP/1.1 200 OK\r\ncontent-range: bytes 0-1/2\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
  ],
  ["no HTTP", "SSH-2.0-OpenSSH_9.6\r\n\r\n"],
])("%s are found out at the first request", async (_name, answer) => {
  const { client, requests } = await serveRaw(answer);
  await expect(read(client)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  expect(requests()).toBe(1);
});

it("what is not read in bulk stays as it was", async () => {
  const client = await serve((_request, response) =>
    response.writeHead(200, { "content-length": blob.length }).end(blob),
  );
  const reader = await client.getBlob("app", digest);
  if (reader === undefined) throw new Error("the blob is there");
  expect((await buffer(reader.chunks)).equals(blob)).toBe(true);
});
