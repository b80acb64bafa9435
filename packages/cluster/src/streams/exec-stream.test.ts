import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setImmediate as nextTurn } from "node:timers/promises";

import type { WebSocket } from "ws";
import { expect, test } from "vitest";

import { answer, startFakeApiServer, statusBody } from "../__fixtures__/fake-api-server.ts";
import type { FakeApiHandlers, FakeApiServer } from "../__fixtures__/fake-api-server.ts";

const target = { namespace: "builds", pod: "builder-0", command: ["cat"] };
const success = JSON.stringify({ status: "Success" });

function send(socket: WebSocket, channel: number, payload: string | Buffer): void {
  socket.send(Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]));
}

/** A server with one process behind each exec; the pod is fine unless `request` says otherwise. */
function serve(socket: NonNullable<FakeApiHandlers["socket"]>, rest: FakeApiHandlers = {}): Promise<FakeApiServer> {
  const healthy = { apiVersion: "v1", kind: "Pod", metadata: { name: "builder-0" }, status: { phase: "Running" } };
  return startFakeApiServer({ request: (_, response) => answer(response, 200, healthy), ...rest, socket });
}

test("carries stdin to its end, and stdout, stderr and the exit code back", async () => {
  await using server = await serve((socket, request) => {
    expect(new URL(request.url ?? "", "http://x").searchParams.getAll("command")).toEqual(["sh", "-c", "a b"]);
    const received: Buffer[] = [];
    socket.on("message", (data: Buffer) => {
      if (data[0] === 0) received.push(data.subarray(1));
      if (data[0] !== 255) return;
      send(socket, 2, "a warning");
      send(socket, 1, Buffer.concat(received));
      send(
        socket,
        3,
        JSON.stringify({ status: "Failure", details: { causes: [{ reason: "ExitCode", message: "7" }] } }),
      );
      socket.close();
    });
  });
  const stream = await server.cluster.exec({ ...target, command: ["sh", "-c", "a b"] });
  stream.stdio.end("hello");
  expect(await text(stream.stdio)).toBe("hello");
  expect(await text(stream.stderr)).toBe("a warning");
  expect(stream.stderrTail).toBe("a warning");
  expect(await stream.status).toMatchObject({ exitCode: 7 });
});

test("keeps large writes whole and in order", async () => {
  const data = randomBytes(5 * 1024 * 1024 + 17);
  const digest = createHash("sha256").update(data).digest("hex");
  await using server = await serve((socket) => {
    const hash = createHash("sha256");
    socket.on("message", (frame: Buffer) => {
      if (frame[0] === 0) hash.update(frame.subarray(1));
      if (frame[0] !== 255) return;
      send(socket, 1, hash.digest("hex"));
      send(socket, 3, success);
    });
  });
  const stream = await server.cluster.exec(target);
  Readable.from([data.subarray(0, 3), data.subarray(3, 4_000_000), data.subarray(4_000_000)]).pipe(stream.stdio);
  expect(await text(stream.stdio)).toBe(digest);
});

test("stops reading from the connection while nobody reads stdout", async () => {
  let socketOfServer: WebSocket | undefined;
  await using server = await serve((socket) => {
    socketOfServer = socket;
    for (let count = 0; count < 64; count += 1) send(socket, 1, Buffer.alloc(1024 * 1024));
    send(socket, 3, success);
  });
  const stream = await server.cluster.exec(target);
  await expect.poll(() => stream.stdio.readableLength, { timeout: 5000 }).toBeGreaterThanOrEqual(0);
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  expect(socketOfServer?.bufferedAmount).toBeGreaterThan(32 * 1024 * 1024);
  let bytes = 0;
  for await (const chunk of stream.stdio) bytes += (chunk as Buffer).length;
  expect(bytes).toBe(64 * 1024 * 1024);
  expect(await stream.status).toMatchObject({ exitCode: 0 });
});

test("takes no more stdin than the other side reads", async () => {
  await using server = await serve((socket) => socket.pause());
  const stream = await server.cluster.exec(target);
  const chunk = Buffer.alloc(1024 * 1024);
  let accepted = 0;
  while (accepted < 256 && stream.stdio.write(chunk)) {
    accepted += 1;
    await nextTurn();
  }
  expect(accepted).toBeLessThan(64);
  await stream.close();
});

test("stderr that nobody reads holds nothing back, and its end is kept", async () => {
  await using server = await serve((socket) => {
    for (let count = 0; count < 32; count += 1) send(socket, 2, Buffer.alloc(256 * 1024, "x"));
    send(socket, 2, "the end");
    send(socket, 3, success);
  });
  const stream = await server.cluster.exec(target);
  expect(await stream.status).toMatchObject({ exitCode: 0 });
  expect(stream.stderrTail).toMatch(/xx.*the end$/);
  expect((await text(stream.stderr)).length).toBe(64 * 1024);
});

test("a connection that is cut is an error of every part, never an end", async () => {
  await using server = await serve((socket) => {
    send(socket, 1, "half of the out");
    socket.on("message", () => socket.terminate());
  });
  const stream = await server.cluster.exec(target);
  stream.stdio.write("x");
  await expect(text(stream.stdio)).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  await expect(stream.status).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  expect(stream.stderr.destroyed).toBe(true);
});

test("a connection that ends in an orderly way, but without a status, is an error too", async () => {
  await using server = await serve((socket) => {
    send(socket, 1, "all of it?");
    socket.close(1000);
  });
  const stream = await server.cluster.exec(target);
  await expect(text(stream.stdio)).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
});

test("says POD_LOST when the pod is gone", async () => {
  const lost = {
    request: (_: unknown, response: Parameters<typeof answer>[0]) =>
      answer(response, 404, statusBody(404, "NotFound", "gone")),
  };
  await using server = await serve((socket) => socket.terminate(), lost);
  const stream = await server.cluster.exec(target);
  await expect(stream.status).rejects.toMatchObject({
    code: "POD_LOST",
    details: { namespace: "builds", pod: "builder-0" },
  });
});

test("a process that ends before it has read its stdin still has an output and a status", async () => {
  await using server = await serve((socket) => {
    socket.once("message", () => {
      send(socket, 1, "enough");
      send(socket, 3, success);
      socket.close();
    });
  });
  const stream = await server.cluster.exec(target);
  const chunk = Buffer.alloc(1024 * 1024);
  const endless = Readable.from(
    (function* () {
      for (let count = 0; count < 40; count += 1) yield chunk;
    })(),
  );
  endless.pipe(stream.stdio);
  expect(await text(stream.stdio)).toBe("enough");
  expect(await stream.status).toMatchObject({ exitCode: 0 });
});

test("the signal ends a stream that is open", async () => {
  await using server = await serve(() => undefined);
  const controller = new AbortController();
  const stream = await server.cluster.exec(target, { signal: controller.signal });
  controller.abort(new Error("enough"));
  await expect(stream.status).rejects.toMatchObject({ code: "ABORTED", details: { reason: "enough" } });
  await expect(text(stream.stdio)).rejects.toMatchObject({ code: "ABORTED" });
});

test("closing the cluster ends its streams", async () => {
  await using server = await serve(() => undefined);
  const stream = await server.cluster.exec(target);
  await server.cluster.close();
  await expect(stream.status).rejects.toMatchObject({ code: "ABORTED" });
});

test("a refused upgrade keeps what the API server says", async () => {
  const message = 'pods "builder-0" is forbidden: User "tester" cannot get resource "pods/exec" in API group ""';
  await using server = await serve(() => undefined, {
    refuseUpgrade: () => ({ status: 403, body: JSON.stringify(statusBody(403, "Forbidden", message)) }),
  });
  await expect(server.cluster.exec(target)).rejects.toMatchObject({
    code: "FORBIDDEN",
    details: { verb: "get", resource: "pods/exec", namespace: "builds" },
  });
});

test("stdin cannot be half-closed with v4, and says so", async () => {
  await using server = await serve(() => undefined, { protocols: ["v4.channel.k8s.io"] });
  const stream = await server.cluster.exec(target);
  stream.stdio.end("x");
  await expect(stream.status).rejects.toMatchObject({ code: "INTERNAL" });
});

test("takes over the connection of a call that was just answered, and leaves those that are in use alone", async () => {
  await using server = await serve((socket) => {
    socket.on("message", () => undefined);
    send(socket, 1, "out");
    send(socket, 3, success);
  });
  const { cluster } = server;
  const pod = { apiVersion: "v1", kind: "Pod", namespace: "builds", name: "builder-0" };
  await cluster.get(pod, {});
  expect(server.connectionCount).toBe(1);
  const streams = [await cluster.exec(target), await cluster.exec(target)];
  expect(server.connectionCount).toBe(2);
  await cluster.get(pod, {});
  expect(server.connectionCount).toBe(3);
  for (const stream of streams) {
    expect(await text(stream.stdio)).toBe("out");
    await stream.close();
  }
  await cluster.get(pod, {});
  expect(server.connectionCount).toBe(3);
});

test("a connection that is closed at the moment when it is taken over is replaced", async () => {
  await using server = await serve((socket) => {
    send(socket, 1, "out");
    send(socket, 3, success);
  });
  const { cluster } = server;
  await cluster.exec(target).then((stream) => stream.close());
  await cluster.get({ apiVersion: "v1", kind: "Pod", namespace: "builds", name: "builder-0" }, {});
  const before = server.connectionCount;
  server.cut();
  const stream = await cluster.exec(target);
  expect(await text(stream.stdio)).toBe("out");
  expect(server.connectionCount).toBe(before + 1);
});
