import { createServer, connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** A TCP proxy on loopback that a test can break. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number;
  /** Bytes that clients have sent through it. */
  readonly sentBytes: number;
  readonly connectionCount: number;
  /** Connections that are open now. */
  readonly openCount: number;
  /** Resets every connection; new ones are served. */
  cut(): void;
  /** Resets every connection as soon as clients have sent so many bytes in all. */
  cutAfter(sentBytes: number): void;
  /** Keeps the connections there are open, but passes nothing on any more, as a half-open connection does. */
  freeze(): void;
}

/** Starts a proxy in front of `host:port`. */
export async function startCuttingProxy(host: string, port: number): Promise<CuttingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let sentBytes = 0;
  let limit = Number.POSITIVE_INFINITY;
  let connectionCount = 0;
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    pairs.clear();
  };
  const server = createServer((client) => {
    connectionCount += 1;
    const upstream = connect(port, host);
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end).setNoDelay(true);
    client.on("data", (chunk: Buffer) => {
      sentBytes += chunk.length;
      if (sentBytes < limit) return;
      limit = Number.POSITIVE_INFINITY;
      cut();
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get sentBytes() {
      return sentBytes;
    },
    get connectionCount() {
      return connectionCount;
    },
    get openCount() {
      return pairs.size;
    },
    cut,
    cutAfter: (bytes) => {
      limit = sentBytes + bytes;
    },
    freeze: () => {
      for (const [client, upstream] of pairs) {
        client.unpipe(upstream);
        upstream.unpipe(client);
        client.removeAllListeners("data").resume();
        upstream.resume();
      }
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
