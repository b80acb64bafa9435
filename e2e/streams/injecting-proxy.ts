import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

/** An HTTP proxy in front of the API server that answers a watch as a test wants it to. */
export interface InjectingProxy extends AsyncDisposable {
  readonly url: string;
  /** How many watches were asked for. */
  readonly watchCount: number;
  /** Ends the watches that are open by a 410 in the stream, and holds all requests back until the function it returns is called. */
  expire(): () => void;
}

const expired = {
  type: "ERROR",
  object: { kind: "Status", status: "Failure", reason: "Expired", code: 410, message: "too old resource version" },
};

/** Starts the proxy; `token` is sent along by the client, TLS to the API server is the proxy's. */
export async function startInjectingProxy(server: URL, ca: Buffer): Promise<InjectingProxy> {
  const watches = new Set<ServerResponse>();
  let watchCount = 0;
  let gate: Promise<undefined> | undefined;
  const forward = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    await gate;
    const isWatch = incoming.url?.includes("watch=true") ?? false;
    const { method, headers, url: path } = incoming;
    const options = { host: server.hostname, port: server.port, method, headers, path, ca };
    const upstream = httpsRequest(options, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      outgoing.flushHeaders();
      if (!isWatch) {
        pipeline(response, outgoing, () => undefined);
        return;
      }
      watchCount += 1;
      watches.add(outgoing);
      response.on("data", (chunk: Buffer) => outgoing.writableEnded || outgoing.write(chunk));
      response.on("error", () => outgoing.destroy()).on("end", () => outgoing.end());
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => {
      watches.delete(outgoing);
      upstream.destroy();
    });
    incoming.pipe(upstream);
  };
  const proxy = createServer((incoming, outgoing) => void forward(incoming, outgoing));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    get watchCount() {
      return watchCount;
    },
    expire: () => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      gate = promise;
      for (const watch of watches) watch.end(`${JSON.stringify(expired)}\n`);
      return () => {
        gate = undefined;
        resolve(undefined);
      };
    },
    [Symbol.asyncDispose]: async () => {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
