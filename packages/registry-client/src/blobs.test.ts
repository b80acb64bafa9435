import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";

import { afterEach, expect, it } from "vitest";

import { computeDigest } from "./manifest.ts";
import { createRegistryClient, type RegistryClient } from "./registry-client.ts";

const blob = Buffer.from("what a layer is made of");
const digest = computeDigest(blob);
const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
});

/** A registry that answers as a test wants it to. */
async function serve(listener: RequestListener): Promise<RegistryClient> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createRegistryClient({
    registry: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    retryDelaysMs: [],
  });
  opened.push(client, server);
  return client;
}

async function read(client: RegistryClient, offset = 0): Promise<string> {
  const reader = await client.getBlob("app", digest, { offset });
  return reader === undefined ? "" : (await buffer(reader.chunks)).toString();
}

it("a blob is read whole or from an offset, with the size of the whole", async () => {
  const ranges: (string | undefined)[] = [];
  const client = await serve((request, response) => {
    ranges.push(request.headers.range);
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.setHeader("content-length", blob.length - from);
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${blob.length - 1}/${blob.length}`);
    response.writeHead(from > 0 ? 206 : 200).end(blob.subarray(from));
  });
  expect(await read(client)).toBe(blob.toString());
  expect(await read(client, 7)).toBe(blob.subarray(7).toString());
  expect((await client.getBlob("app", digest, { offset: 7 }))?.sizeBytes).toBe(blob.length);
  expect(ranges).toEqual([undefined, "bytes=7-", "bytes=7-"]);
});

it("a registry that knows no ranges sends everything, of which the start is left out", async () => {
  const client = await serve((_request, response) =>
    response.writeHead(200, { "content-length": blob.length }).end(blob),
  );
  expect(await read(client, 7)).toBe(blob.subarray(7).toString());
});

it.each([
  ["other bytes", 200, { "content-length": blob.length }, Buffer.alloc(blob.length), 0, "DIGEST_MISMATCH"],
  ["bytes of no announced length", 200, {}, Buffer.alloc(5), 0, "REGISTRY_REFUSED"],
  ["fewer bytes than it announces", 200, { "content-length": blob.length + 1 }, blob, 0, "REGISTRY_UNAVAILABLE"],
  ["another part", 206, { "content-range": `bytes 3-22/${blob.length}` }, blob.subarray(3), 7, "REGISTRY_REFUSED"],
  [
    "a part of a part",
    206,
    { "content-range": `bytes 7-9/${blob.length}` },
    blob.subarray(7, 10),
    7,
    "REGISTRY_UNAVAILABLE",
  ],
  ["more than the whole", 206, { "content-range": "bytes 7-9/10" }, blob.subarray(7), 7, "REGISTRY_REFUSED"],
] as const)(
  "a registry that sends %s is found out",
  async (_name, status, headers: Record<string, string | number>, bytes, offset, code) => {
    const client = await serve((_request, response) => {
      response.writeHead(status, headers);
      if (headers["content-length"] === undefined && status === 200) response.end(bytes);
      else response.write(bytes, () => response.socket?.end());
    });
    await expect(read(client, offset)).rejects.toMatchObject({ code });
  },
);

it.each([
  ["a range without a size", { "content-range": "bytes 0-9/*", "content-length": 100_000 }, undefined],
  ["no length, and HEAD has none", {}, 200],
  ["no length, and HEAD fails", {}, 500],
])("the connection of an answer that is of no use is let go: %s", async (_name, headers: object, headStatus) => {
  const reading = new Set<Socket>();
  const client = await serve((request, response) => {
    if (request.method === "HEAD") return void response.writeHead(headStatus ?? 500).end();
    reading.add(request.socket);
    // More of it never comes.
    response.writeHead(headStatus === undefined ? 206 : 200, { ...headers }).write("layer");
  });
  for (const memory of [undefined, () => undefined])
    for (let call = 0; call < 3; call += 1)
      await expect(client.getBlob("app", digest, { offset: 7, memory })).rejects.toMatchObject({
        code: headStatus === 500 ? "REGISTRY_UNAVAILABLE" : "REGISTRY_REFUSED",
      });
  expect(reading.size).toBe(6);
  await expect.poll(() => [...reading].filter(({ destroyed }) => !destroyed)).toEqual([]);
});

it("a blob that is not there is undefined, and deleting it says so", async () => {
  const client = await serve((_request, response) => response.writeHead(404).end());
  expect(await client.headBlob("app", digest)).toBeUndefined();
  expect(await client.getBlob("app", digest)).toBeUndefined();
  expect(await client.deleteBlob("app", digest)).toBe(false);
});

/** A registry that stores uploads, and writes down what it was asked. */
function uploads(store: { bytes: Buffer }, log: string[], lose: () => boolean): RequestListener {
  const answer = async (request: IncomingMessage, status: number, location?: string) => {
    const bytes = await buffer(request);
    store.bytes = Buffer.concat([store.bytes, bytes]);
    return {
      status,
      headers: { ...(location === undefined ? {} : { location }), range: `0-${Math.max(0, store.bytes.length - 1)}` },
    };
  };
  return (request, response) => {
    const { method = "", url = "" } = request;
    log.push(`${method} ${url} ${request.headers["content-range"] ?? ""}`.trim());
    const statuses: Record<string, number> = { POST: 202, PATCH: 202, GET: 204, PUT: 201, DELETE: 204 };
    // Relative to the host, with a query that has to stay.
    const location = `/v2/app/blobs/uploads/id?state=${log.length}`;
    void answer(request, statuses[method] ?? 500, location).then(({ status, headers }) => {
      if (lose()) request.socket.destroy();
      else response.writeHead(status, { ...headers, "content-length": 0 }).end();
    });
  };
}

it("an upload goes on where the registry says that it is, at the address that it gave last", async () => {
  const store = { bytes: Buffer.alloc(0) };
  const log: string[] = [];
  let losing = false;
  const client = await serve(uploads(store, log, () => losing));
  const upload = await client.startUpload("app", { mount: { digest, from: "base" } });
  if (upload === "mounted") throw new Error("nothing was to be mounted");
  await upload.write(blob.subarray(0, 10));
  expect(upload.receivedBytes).toBe(10);
  losing = true;
  await expect(upload.write(blob.subarray(10, 15))).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  losing = false;
  expect(await upload.status()).toBe(15);
  const chunks = async function* () {
    yield blob.subarray(15, 18);
    await Promise.resolve();
    yield blob.subarray(18, 20);
  };
  await upload.write({ sizeBytes: 5, chunks: chunks() });
  await upload.finish(digest, { chunk: blob.subarray(20) });
  await upload.cancel();
  expect(store.bytes.toString()).toBe(blob.toString());
  const escaped = encodeURIComponent(digest);
  expect(log).toEqual([
    `POST /v2/app/blobs/uploads/?mount=${escaped}&from=base`,
    "PATCH /v2/app/blobs/uploads/id?state=1 0-9",
    "PATCH /v2/app/blobs/uploads/id?state=2 10-14",
    "GET /v2/app/blobs/uploads/id?state=2",
    "PATCH /v2/app/blobs/uploads/id?state=4 15-19",
    `PUT /v2/app/blobs/uploads/id?state=5&digest=${escaped}`,
  ]);
});

it("leaving an upload cancels it; after a lost answer it is asked for its address first", async () => {
  const log: string[] = [];
  let losing = false;
  const client = await serve(uploads({ bytes: Buffer.alloc(0) }, log, () => losing));
  {
    await using upload = await client
      .startUpload("app")
      .then((started) => (started === "mounted" ? undefined : started));
    losing = true;
    await expect(upload?.write(blob)).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
    losing = false;
  }
  expect(log.slice(2)).toEqual(["GET /v2/app/blobs/uploads/id?state=1", "DELETE /v2/app/blobs/uploads/id?state=3"]);
});

it.each([
  ["", "", true],
  ["layer", "layer", true],
  ["layer", "", false],
])(
  "an upload that may not be deleted is finished as what it is so far (%j sent, %j known)",
  async (sent, known, ended) => {
    const log: string[] = [];
    const client = await serve((request, response) => {
      const { method = "", url = "" } = request;
      log.push(`${method} ${url}`);
      request.resume();
      const location = "/v2/app/blobs/uploads/id?state=1";
      if (method === "DELETE") response.writeHead(405).end();
      else response.writeHead(202, { location }).end();
    });
    const upload = await client.startUpload("app");
    if (upload === "mounted") throw new Error("nothing was to be mounted");
    await upload.write(Buffer.from(sent));
    await upload.cancel({
      digestOf: (size) => (size === known.length ? computeDigest(Buffer.from(known)) : undefined),
    });
    const finished = `PUT /v2/app/blobs/uploads/id?state=1&digest=${encodeURIComponent(computeDigest(Buffer.from(known)))}`;
    expect(log.slice(sent === "" ? 1 : 2)).toEqual([
      "DELETE /v2/app/blobs/uploads/id?state=1",
      ...(ended ? [finished] : []),
    ]);
  },
);

it("the end of an upload is sent once, also when the kept connection dies with it: a registry may have taken its bytes", async () => {
  let ends = 0;
  const client = await serve((request, response) => {
    const location = "/v2/app/blobs/uploads/id";
    if (request.method !== "PUT") return void response.writeHead(202, { location, "content-length": 0 }).end();
    request.resume().once("end", () => {
      ends += 1;
      request.socket.destroy();
    });
  });
  const upload = await client.startUpload("app");
  if (upload === "mounted") throw new Error("nothing can be mounted");
  await client.headBlob("app", digest);
  await expect(upload.finish(digest, { chunk: blob })).rejects.toMatchObject({ code: "REGISTRY_UNAVAILABLE" });
  expect(ends).toBe(1);
});

it("a mounted blob needs no upload", async () => {
  const client = await serve((_request, response) => response.writeHead(201).end());
  expect(await client.startUpload("app", { mount: { digest, from: "base" } })).toBe("mounted");
});

it("a repository that is not there, at a registry that makes none, has a code of its own", async () => {
  const errors = [{ code: "NAME_UNKNOWN", message: "The repository with name 'app' does not exist" }];
  const client = await serve((_request, response) => response.writeHead(404).end(JSON.stringify({ errors })));
  await expect(client.startUpload("app")).rejects.toMatchObject({
    code: "REPOSITORY_NOT_FOUND",
    details: { repository: "app" },
  });
});

it("a registry that opens an upload without saying where is refused", async () => {
  const client = await serve((_request, response) => response.writeHead(202).end());
  await expect(client.startUpload("app")).rejects.toMatchObject({ code: "REGISTRY_REFUSED" });
});

it.each(["", "Team/App", "../../token", "https://elsewhere.example.com/app", "app?n=1", "app:1"])(
  "%j is no repository: nothing is sent",
  async (repository) => {
    const asked: (string | undefined)[] = [];
    const client = await serve((request, response) => {
      asked.push(request.url);
      response.writeHead(404).end();
    });
    const refused = { code: "INVALID_OPTIONS", details: { issues: [{ path: "repository" }] } };
    await expect(client.headBlob(repository, digest)).rejects.toMatchObject(refused);
    await expect(client.getBlob(repository, digest)).rejects.toMatchObject(refused);
    await expect(client.deleteBlob(repository, digest)).rejects.toMatchObject(refused);
    await expect(client.startUpload(repository)).rejects.toMatchObject(refused);
    await expect(client.listTags(repository)[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
    expect(asked).toEqual([]);
  },
);

it.each<[keyof RegistryClient, readonly unknown[], string]>([
  ["headBlob", [undefined, digest], "repository"],
  ["headBlob", ["app"], "digest"],
  ["startUpload", [], "repository"],
  ["checkPush", [], "repository"],
  ["checkPull", [], "reference"],
  ["headManifest", [], "reference"],
])("%s(%j), as JavaScript may call it, is refused, and nothing is sent", async (method, given, path) => {
  const asked: (string | undefined)[] = [];
  const client = await serve((request, response) => {
    asked.push(request.url);
    response.writeHead(404).end();
  });
  const ask: unknown = Reflect.get(client, method);
  if (typeof ask !== "function") throw new TypeError(`a client without ${String(method)}`);
  const answer: unknown = Reflect.apply(ask, client, given);
  await expect(answer).rejects.toMatchObject({ code: "INVALID_OPTIONS", details: { issues: [{ path }] } });
  expect(asked).toEqual([]);
});

it("what is no digest is refused", async () => {
  const client = await serve((request, response) => {
    response.writeHead(request.method === "POST" ? 202 : 404, { location: "/v2/app/blobs/uploads/1" }).end();
  });
  const refused = { code: "INVALID_OPTIONS", details: { issues: [{ path: "digest" }] } };
  await expect(client.headBlob("app", "sha256:../../../token")).rejects.toMatchObject(refused);
  await expect(client.startUpload("app", { mount: { from: "base", digest: "latest" } })).rejects.toMatchObject(refused);
  const upload = await client.startUpload("app");
  expect(upload).toHaveProperty("finish");
  if (upload !== "mounted") await expect(upload.finish("latest")).rejects.toMatchObject(refused);
  await expect(client.headBlob("app", digest)).resolves.toBeUndefined();
});
