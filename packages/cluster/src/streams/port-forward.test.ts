import { text } from "node:stream/consumers";

import type { WebSocket } from "ws";
import { expect, test } from "vitest";

import { startFakeApiServer } from "../__fixtures__/fake-api-server.ts";

const target = { namespace: "builds", pod: "p", port: 8080 };

function frame(channel: number, payload: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]);
}

/** Both channels begin with the number of the port. */
function announce(socket: WebSocket): void {
  for (const channel of [0, 1]) socket.send(frame(channel, Buffer.from([0x90, 0x1f])));
}

test("carries bytes both ways, those that come with the connection too", async () => {
  await using server = await startFakeApiServer({
    socket: (socket, request) => {
      expect(request.url).toBe("/api/v1/namespaces/builds/pods/p/portforward?ports=8080");
      announce(socket);
      socket.send(frame(0, "hello "));
      socket.on("message", (data: Buffer) => {
        socket.send(data);
        socket.close(1000);
      });
    },
  });
  const stream = await server.cluster.portForward(target);
  stream.write("world");
  expect(await text(stream)).toBe("hello world");
});

test("what the node says on the error channel is the error of the stream", async () => {
  await using server = await startFakeApiServer({
    socket: (socket) => {
      announce(socket);
      socket.send(frame(1, "connection refused"));
    },
  });
  const stream = await server.cluster.portForward(target);
  await expect(text(stream)).rejects.toMatchObject({
    code: "CLUSTER_UNREACHABLE",
    message: expect.stringContaining("connection refused") as string,
  });
});

test("a connection that is cut is no end", async () => {
  await using server = await startFakeApiServer({
    socket: (socket) => {
      announce(socket);
      socket.terminate();
    },
  });
  await expect(text(await server.cluster.portForward(target))).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
});
