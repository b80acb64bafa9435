import { randomBytes } from "node:crypto";
import { getEventListeners, once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";

import { afterEach, describe, expect, test, vi } from "vitest";

import { createCertificate } from "../__fixtures__/certificate.ts";
import type { RegistryRequest, RegistryTransport } from "../index.ts";
import { createNetworkTransport, createStreamTransport } from "../index.ts";
import { createConnectionPool } from "./connection-pool.ts";
import type { Connection } from "./connection.ts";
import { createSocketDial } from "./dial-socket.ts";
import { dialStream } from "./dial-stream.ts";
import { exchange } from "./exchange.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A server that answers each request with the next of these texts, to the byte. */
async function serveRaw(answers: readonly string[]) {
  const connections: Socket[] = [];
  const received: string[] = [];
  const next = [...answers];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => undefined).setEncoding("latin1");
    socket.on("data", (text) => {
      received.push(String(text));
      const count = String(text).split(" HTTP/1.1\r\n").length - 1;
      for (let index = 0; index < count; index += 1) socket.write(next.shift() ?? "", "latin1");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => {
    for (const socket of connections) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections, received };
}

function open(): RegistryTransport {
  const transport = createNetworkTransport({ proxy: false });
  cleanups.push(async () => await transport.close?.());
  return transport;
}

function request(port: number, more: Partial<RegistryRequest> = {}): RegistryRequest {
  const url = new URL(`http://127.0.0.1:${port}/v2/`);
  return { method: "GET", url, headers: {}, signal: new AbortController().signal, ...more };
}

async function read(response: Awaited<ReturnType<RegistryTransport>>): Promise<string> {
  return response.body === null ? "" : (await buffer(response.body)).toString("latin1");
}

const plain = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nplain";

describe("a connection serves the next request", () => {
  test.each([
    ["a body with a length", "GET", plain, "plain"],
    ["no body", "GET", "HTTP/1.1 204 No Content\r\n\r\n", ""],
    ["the length of a body that does not come", "HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", ""],
    [
      "chunks, with extensions and trailers",
      "GET",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nx-sum: 1\r\nx-end: 2\r\n\r\n",
      "abc0123456789",
    ],
    ["an announcement first", "GET", `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${plain}`, "plain"],
  ] as const)("after %s", async (_, method, answer, body) => {
    const { port, connections } = await serveRaw([answer, plain]);
    const send = open();
    expect(await read(await send(request(port, { method })))).toBe(body);
    expect(await read(await send(request(port)))).toBe("plain");
    expect(connections).toHaveLength(1);
  });

  test("also when nobody reads a body that came with its head", async () => {
    const { port, connections } = await serveRaw([plain, plain]);
    const send = open();
    await send(request(port));
    expect(await read(await send(request(port)))).toBe("plain");
    expect(connections).toHaveLength(1);
  });
});

describe("a connection is not used again", () => {
  test.each([
    ["that the server closes", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nplain"],
    ["of HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nplain"],
    ["on which more came than the answer", `${plain}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwrong`],
    [
      "that the server keeps for no longer than a request takes",
      "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 5\r\n\r\nplain",
    ],
  ])("%s", async (_, answer) => {
    const { port, connections } = await serveRaw([answer, plain]);
    const send = open();
    expect(await read(await send(request(port)))).toBe("plain");
    expect(await read(await send(request(port)))).toBe("plain");
    expect(connections).toHaveLength(2);
  });

  test("on which something comes that nobody asked for", async () => {
    const { port, connections } = await serveRaw([plain, plain]);
    const send = open();
    expect(await read(await send(request(port)))).toBe("plain");
    connections[0]?.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
    await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true));
    expect(await read(await send(request(port)))).toBe("plain");
    expect(connections).toHaveLength(2);
  });

  test("whose request was answered before all of it was sent", async () => {
    const refused = "HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nno!";
    const { port, connections } = await serveRaw([refused, plain]);
    const send = createStreamTransport(async () => connect(port, "127.0.0.1"));
    cleanups.push(async () => await send.close?.());
    const answered = Promise.withResolvers<undefined>();
    async function* chunks() {
      yield Buffer.from("abc");
      await answered.promise;
      yield Buffer.from("def");
    }
    const response = await send(request(port, { method: "PATCH", body: { sizeBytes: 1_000_000, chunks: chunks() } }));
    answered.resolve(undefined);
    expect([response.status, await read(response)]).toEqual([413, "no!"]);
    expect(await read(await send(request(port)))).toBe("plain");
    expect(connections).toHaveLength(2);
  });
});

test("parts of a body stay what they are when the next ones come", async () => {
  const body = randomBytes(1_000_000).toString("latin1");
  const { port } = await serveRaw([`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`]);
  expect((await read(await open()(request(port)))) === body).toBe(true);
});

test("what came of a large body before its connection ended is given away", async () => {
  const { port, connections } = await serveRaw(["HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n"]);
  const memory = Buffer.alloc(1_000_000);
  let receivedBytes = 0;
  const bulk = (unreadBytes: number): Uint8Array => memory.subarray(receivedBytes + unreadBytes);
  const response = await open()(request(port, { bulk }));
  const reading = (async () => {
    for await (const part of response.body ?? []) receivedBytes += part.byteLength;
  })();
  for (const part of ["first", "second"]) {
    connections[0]?.write(part);
    await delay(20);
  }
  connections[0]?.end("third");
  await expect(reading).rejects.toThrow("the connection ended 999984 bytes early");
  expect(receivedBytes).toBe("firstsecondthird".length);
});

test("a socket that reads into the memory of an answer is not kept, though streams are", async () => {
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n`;
  const { port, connections } = await serveRaw([answer, plain]);
  const dial = createSocketDial({ rejectUnauthorized: true });
  const pool = createConnectionPool({ idleMs: 1000, maxIdle: 4 });
  const asked = request(port, { bulk: () => Buffer.alloc(1000) });
  const response = await exchange(asked, { pool, key: "", keepsLarge: true, dial: () => dial(asked.url) });
  connections[0]?.write("x".repeat(100));
  expect(await read(response)).toBe("x".repeat(100));
  expect(pool.take("")).toBeUndefined();
});

test("trailers without an end are refused", async () => {
  const trailers = "x: y\r\n".repeat(10_000);
  const { port } = await serveRaw([
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n${trailers}\r\n`,
  ]);
  await expect(open()(request(port)).then(read)).rejects.toThrow("malformed chunk");
});

test("the body of a connection that dies is no body that ended", async () => {
  const { port, connections } = await serveRaw(["HTTP/1.1 200 OK\r\n\r\nthe first part"]);
  const controller = new AbortController();
  const response = await open()(request(port, { signal: controller.signal }));
  const parts = response.body?.[Symbol.asyncIterator]();
  await parts?.next();
  const next = parts?.next();
  controller.abort();
  await expect(next).rejects.toThrow();
  await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true));
});

test("a header that HTTP does not allow is refused before anything is sent, and not shown", async () => {
  const { port, connections } = await serveRaw([]);
  const refused = open()(request(port, { headers: { authorization: "Bearer s3cret\r\nx-more: y" } }));
  await expect(refused).rejects.toThrow(/header "authorization" has a character/);
  await expect(refused).rejects.not.toThrow(/s3cret/);
  expect(connections).toHaveLength(0);
});

test("a signal that outlives many requests is not left with their listeners", async () => {
  const count = 30;
  const { port, connections } = await serveRaw(Array.from({ length: count }, () => plain));
  const send = open();
  const { signal } = new AbortController();
  const warned = vi.fn();
  process.on("warning", warned);
  cleanups.push(() => void process.off("warning", warned));
  for (let index = 0; index < count; index += 1) await read(await send(request(port, { signal })));
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  expect(connections).toHaveLength(1);
  expect(warned).not.toHaveBeenCalled();
});

/** A stream as a cluster brings it: what was pushed lies in it until somebody reads. */
function stream(onRequest: (stream: Duplex) => void): Duplex {
  const made: Duplex = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, written) => {
      written();
      onRequest(made);
    },
  });
  return made.on("error", () => undefined);
}

describe("a stream that somebody dials", () => {
  const url = new URL("http://registry.builds.svc/v2/");
  const ask = (more: Partial<RegistryRequest> = {}): RegistryRequest => ({ ...request(80), url, ...more });

  test("gives away what it has brought before it broke", async () => {
    const send = createStreamTransport(async () =>
      stream((broken) => {
        broken.push("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n01234");
        broken.push("56789");
        setImmediate(() => broken.destroy(new Error("the pod is gone")));
      }),
    );
    const response = await send(ask());
    // It has broken by then.
    await delay(20);
    expect(await read(response)).toBe("0123456789");
  });

  test("that breaks while it is idle carries no further request, not even one that comes at once", async () => {
    const dialed: Duplex[] = [];
    const send = createStreamTransport(async () => {
      dialed.push(stream((answering) => void answering.push(plain)));
      return dialed.at(-1) as Duplex;
    });
    cleanups.push(async () => await send.close?.());
    expect(await read(await send(ask()))).toBe("plain");
    dialed[0]?.destroy(new Error("the pod is gone"));
    // What cannot be sent again.
    expect(await read(await send(ask({ method: "POST", repeatable: false })))).toBe("plain");
    expect(dialed).toHaveLength(2);
  });

  test("does not take what nobody asked for as the next answer", async () => {
    const dialed: Duplex[] = [];
    const send = createStreamTransport(async () => {
      const answers = dialed.length === 0 ? [plain, plain.replace("plain", "wrong")] : [plain];
      dialed.push(
        stream((answering) => {
          for (const answer of answers) answering.push(answer);
        }),
      );
      return dialed.at(-1) as Duplex;
    });
    cleanups.push(async () => await send.close?.());
    expect(await read(await send(ask()))).toBe("plain");
    expect(await read(await send(ask()))).toBe("plain");
    expect(dialed).toHaveLength(2);
  });

  test.each(["http:", "https:"])(
    "that was closed before anybody used it is no stream that hangs: %s",
    async (protocol) => {
      const closed = stream(() => undefined);
      closed.destroy();
      await once(closed, "close");
      const send = createStreamTransport(async () => closed);
      await expect(send(ask({ url: new URL(`${protocol}//registry.builds.svc/`) }))).rejects.toThrow(
        /ended before an answer/,
      );
    },
  );

  describe("with TLS on it", () => {
    const secure = ask({ url: new URL("https://registry.builds.svc/v2/") });

    test("ends with a certificate that is refused", async () => {
      const server = createTlsServer(createCertificate("DNS:other.svc")).on("tlsClientError", () => undefined);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      cleanups.push(() => void server.close());
      const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
      const dialed = Duplex.from({ readable: socket, writable: socket });
      await expect(createStreamTransport(async () => dialed)(secure)).rejects.toThrow(/certificate/);
      await vi.waitFor(() => expect(dialed.destroyed).toBe(true));
    });

    test("tells what has broken it", async () => {
      const broken = stream(() => undefined);
      const asked = createStreamTransport(async () => broken)(secure);
      setTimeout(() => broken.destroy(new Error("the pod is gone")), 20);
      await expect(asked).rejects.toThrow("the pod is gone");
    });
  });

  test("that comes after the signal has fired carries no request", async () => {
    const controller = new AbortController();
    let requests = 0;
    const late = stream(() => (requests += 1));
    const send = createStreamTransport(async () => {
      controller.abort();
      return late;
    });
    await expect(send(ask({ signal: controller.signal }))).rejects.toMatchObject({ name: "AbortError" });
    expect(requests).toBe(0);
    expect(late.destroyed).toBe(true);
  });

  describe("by who hears no signal", () => {
    /** Dials when it is told to, whatever happens meanwhile. */
    function dialLate() {
      const { promise, resolve } = Promise.withResolvers<Duplex>();
      const heard: AbortSignal[] = [];
      const dial = async (signal: AbortSignal): Promise<Connection> => {
        heard.push(signal);
        return await dialStream(() => promise, { url }, signal);
      };
      let requests = 0;
      const late = stream(() => (requests += 1));
      const come = async (): Promise<void> => {
        resolve(late);
        await vi.waitFor(() => expect(late.destroyed).toBe(true));
        expect(requests).toBe(0);
      };
      const pool = createConnectionPool({ idleMs: 1000, maxIdle: 4 });
      return { heard, come, route: { pool, key: "", keepsLarge: true, dial, dialTimeoutMs: 50 } as const };
    }

    test("has so much time and no more, also for a request that has none itself", async () => {
      const { heard, come, route } = dialLate();
      const { signal } = new AbortController();
      const chunks = (async function* () {
        yield Buffer.from("layer");
      })();
      const asked = exchange(ask({ method: "PATCH", body: { chunks }, signal }), route);
      await expect(asked).rejects.toThrow("no connection to registry.builds.svc within 0.05 s");
      expect(heard.map(({ aborted }) => aborted)).toEqual([true]);
      expect(getEventListeners(signal, "abort")).toHaveLength(0);
      await come();
    });

    test("is not waited for once the signal of the request has fired", async () => {
      const { heard, come, route } = dialLate();
      const leaving = new AbortController();
      const asked = exchange(ask({ signal: leaving.signal }), { ...route, dialTimeoutMs: undefined });
      const reason = new Error("the test leaves");
      leaving.abort(reason);
      await expect(asked).rejects.toBe(reason);
      expect(heard.map(({ reason: told }) => told as unknown)).toEqual([reason]);
      await come();
    });
  });

  test("is not ended by the time that dialling had", async () => {
    const pool = createConnectionPool({ idleMs: 0, maxIdle: 0 });
    const dial = (signal: AbortSignal) => dialStream(async () => answering, { url }, signal);
    const answering = stream((asked) => void setTimeout(() => asked.push(plain), 60));
    const response = await exchange(ask(), { pool, key: "", keepsLarge: true, dial, dialTimeoutMs: 20 });
    expect(await read(response)).toBe("plain");
  });
});

test("answers that cannot be trusted leave nothing behind at the signal", async () => {
  const { port, connections } = await serveRaw(["HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"]);
  const { signal } = new AbortController();
  await expect(open()(request(port, { signal }))).rejects.toThrow(/length of the answer/);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  await vi.waitFor(() => expect(connections[0]?.destroyed).toBe(true));
});
