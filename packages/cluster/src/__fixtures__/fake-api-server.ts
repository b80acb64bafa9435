import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";

import type { Cluster } from "../cluster.ts";
import { connectCluster } from "../connect-cluster.ts";

/** A server on loopback that answers as a test tells it to, and a cluster connection to it. */
export interface FakeApiServer extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly url: string;
  /** Connections accepted so far. */
  readonly connectionCount: number;
  /** Ends all connections as a load balancer does. */
  cut(): void;
}

/** What the server does. */
export interface FakeApiHandlers {
  readonly request?: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  readonly socket?: (socket: WebSocket, request: IncomingMessage) => void;
  /** Refuses upgrades with this status and body. */
  readonly refuseUpgrade?: () => { readonly status: number; readonly body: string } | undefined;
  readonly user?: object;
  readonly protocols?: readonly string[];
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** Answers with JSON. */
export function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/** The body of a refusal. */
export function statusBody(code: number, reason: string, message: string, details?: object): object {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

/** Starts a server on loopback. */
export async function startFakeApiServer(handlers: FakeApiHandlers): Promise<FakeApiServer> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-cluster-"));
  const connections = new Set<Socket>();
  let connectionCount = 0;
  const server = createServer((request, response) => {
    void readText(request).then((body) => handlers.request?.(request, response, body));
  });
  server.on("connection", (socket: Socket) => {
    connectionCount += 1;
    connections.add(socket);
    socket.on("error", () => undefined).on("close", () => connections.delete(socket));
  });
  const protocols = handlers.protocols ?? ["v5.channel.k8s.io", "v4.channel.k8s.io"];
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    const refusal = handlers.refuseUpgrade?.();
    if (refusal) {
      const { status, body } = refusal;
      socket.end(
        `HTTP/1.1 ${status} No\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
      );
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => handlers.socket?.(webSocket, request));
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  const kubeconfig = join(folder, "config");
  await writeFile(
    kubeconfig,
    JSON.stringify({
      "current-context": "fake",
      contexts: [{ name: "fake", context: { cluster: "fake", user: "tester", namespace: "builds" } }],
      clusters: [{ name: "fake", cluster: { server: url } }],
      users: [{ name: "tester", user: handlers.user ?? { token: "one" } }],
    }),
  );
  const cluster = await connectCluster({ kubeconfig });
  return {
    cluster,
    url,
    get connectionCount() {
      return connectionCount;
    },
    cut: () => {
      for (const socket of connections) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      await cluster.close();
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
