import { request as startRequest } from "node:http";
import type { Duplex } from "node:stream";
import { buffer } from "node:stream/consumers";

import type { Cluster, PortForwardTarget } from "@slipway/cluster";

/** A request to a server in a pod. */
export interface PodRequest {
  readonly method?: string;
  /** From the root, with the query; an absolute URL is cut down to that. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What the server answered, whatever the status. */
export interface PodResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Sends one HTTP request to a pod through the API server, on a connection of its own. */
export async function sendToPod(
  cluster: Cluster,
  target: PortForwardTarget & { readonly host: string },
  { method = "GET", path, headers = {}, body }: PodRequest,
): Promise<PodResponse> {
  const connection: Duplex = await cluster.portForward(target);
  try {
    return await new Promise((resolve, reject) => {
      const { pathname, search } = new URL(path, "http://pod");
      const outgoing = startRequest({
        createConnection: () => connection,
        method,
        path: `${pathname}${search}`,
        headers: {
          ...headers,
          host: target.host,
          connection: "close",
          ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        },
      });
      outgoing.on("error", reject).on("response", (response) => {
        const { statusCode: status = 0, headers: received } = response;
        buffer(response).then((content) => resolve({ status, headers: received, body: content }), reject);
      });
      outgoing.end(body);
    });
  } finally {
    connection.destroy();
  }
}
