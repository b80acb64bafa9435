import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

/** A server at a port of this machine. Disposing it ends its connections as well. */
export interface LocalServer extends Disposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
}

/** Answers a request whose body has arrived. */
export type LocalHandler = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

/** Starts a server for a test. */
export async function startLocalServer(handle: LocalHandler): Promise<LocalServer> {
  const server = createServer((request, response) => {
    buffer(request).then(
      (body) => handle(request, response, body),
      // Whoever asked has left.
      () => response.destroy(),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.dispose]: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
