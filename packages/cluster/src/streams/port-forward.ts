import { Duplex } from "node:stream";

import type { BuilderError } from "@slipway/core";

import { abortError } from "../connection/abort-error.ts";
import type { ApiConnection, ClusterCall } from "../rest/api-client.ts";
import { connectionLost } from "../rest/api-error.ts";
import { apiPath } from "../rest/api-resource.ts";
import { createChannelQueue } from "./channel-queue.ts";
import { createFrameWriter } from "./frame-writer.ts";
import { openStreamSocket } from "./stream-socket.ts";
import type { StreamSocket } from "./stream-socket.ts";

/** A port that a process in a pod listens on. */
export interface PortForwardTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const dataChannel = 0;
const errorChannel = 1;
const portBytes = 2;
const pingIntervalMs = 25_000;

/**
 * What libraries that expect a socket call on it. The connection to the API server has these set already.
 */
const socketMethods = {
  setNoDelay(this: Duplex): Duplex {
    return this;
  },
  setKeepAlive(this: Duplex): Duplex {
    return this;
  },
  setTimeout(this: Duplex): Duplex {
    return this;
  },
  ref(this: Duplex): Duplex {
    return this;
  },
  unref(this: Duplex): Duplex {
    return this;
  },
};

function createPortStream(
  { socket, connection }: StreamSocket,
  signal: AbortSignal | undefined,
  lost: (reason: string) => BuilderError,
): Duplex {
  let isPaused = false;
  // The first message of each channel is the number of the port, the two bytes little-endian.
  const announced = new Set<number>();
  const queue = createChannelQueue(
    () => stream,
    () => {
      if (queue.isFull === isPaused) return;
      isPaused = queue.isFull;
      if (isPaused) socket.pause();
      else socket.resume();
    },
  );
  const writer = createFrameWriter(connection, dataChannel, () => undefined);
  const stream = Object.assign(
    new Duplex({
      allowHalfOpen: true,
      read: () => queue.pull(),
      write: (chunk: Buffer, _encoding, callback) => writer.write([chunk], callback),
      destroy: (error, callback) => {
        socket.terminate();
        callback(error);
      },
    }),
    socketMethods,
  );
  stream.on("error", () => undefined);
  const onAbort = (): void => {
    if (signal) stream.destroy(abortError(signal));
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const ping = setInterval(() => socket.readyState === socket.OPEN && socket.ping(), pingIntervalMs).unref();
  socket.on("message", (data: Buffer) => {
    const channel = data[0] ?? dataChannel;
    const isAnnouncement = !announced.has(channel);
    announced.add(channel);
    const payload = data.subarray(isAnnouncement ? 1 + portBytes : 1);
    if (payload.length === 0) return;
    if (channel === dataChannel) queue.push(payload);
    else if (channel === errorChannel) stream.destroy(lost(payload.toString("utf8").trim()));
  });
  socket.on("error", () => undefined);
  socket.on("close", (code) => {
    clearInterval(ping);
    signal?.removeEventListener("abort", onAbort);
    if (code === 1000) queue.end();
    else if (!stream.destroyed) stream.destroy(lost(`the connection ended, WebSocket code ${code}`));
  });
  if (signal?.aborted) onAbort();
  socket.resume();
  return stream;
}

/**
 * Opens a connection to a port of a pod.
 *
 * @throws BuilderError
 */
export async function openPortForward(
  connection: ApiConnection,
  target: PortForwardTarget,
  call: ClusterCall,
): Promise<Duplex> {
  const { namespace, pod, port } = target;
  const socket = await openStreamSocket(
    connection,
    {
      path: apiPath({ apiVersion: "v1", plural: "pods", namespace, name: pod, subresource: "portforward" }),
      query: { ports: port },
      protocols: ["v4.channel.k8s.io"],
      action: { verb: "create", resource: "pods/portforward", namespace, name: pod },
    },
    call,
  );
  const doing = `port ${port} of pod ${namespace}/${pod}`;
  return createPortStream(socket, call.signal, (reason) =>
    connectionLost(connection.server, doing, new Error(reason), "Check that something listens there."),
  );
}
