import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { connect } from "node:net";

import { addressOf } from "./http/dial-socket.ts";
import { identityOf, tls } from "./http/secure.ts";

/**
 * Opens a stream to the host of a URL by way of a proxy: for `https:` a tunnel (`CONNECT`), for `http:` the connection to the proxy itself, which
 * wants the whole URL in the request line then.
 */
export async function dialThroughProxy(proxy: URL, url: URL, signal: AbortSignal): Promise<Duplex> {
  const stream = await connectTo(proxy, signal);
  return url.protocol === "https:" ? await openTunnel(stream, proxy, url, signal) : stream;
}

/** What a proxy needs to know of its user. The name and password are part of the proxy's URL. */
export function proxyHeaders({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(login).toString("base64")}` };
}

async function connectTo(proxy: URL, signal: AbortSignal): Promise<Duplex> {
  const isSecure = proxy.protocol === "https:";
  const target = addressOf(proxy);
  const socket = isSecure ? tls().connect({ ...target, ...identityOf(proxy.hostname) }) : connect(target);
  try {
    await once(socket, isSecure ? "secureConnect" : "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw new Error(`the proxy ${proxy.hostname} cannot be reached`, { cause: error });
  }
}

function openTunnel(stream: Duplex, proxy: URL, url: URL, signal: AbortSignal): Promise<Duplex> {
  const target = `${url.hostname}:${url.port === "" ? "443" : url.port}`;
  return new Promise((resolve, reject) => {
    // Loaded with the first use.
    const request = process.getBuiltinModule("node:http").request({
      method: "CONNECT",
      path: target,
      headers: { host: target, ...proxyHeaders(proxy) },
      createConnection: () => stream,
      signal,
    });
    const refuse = ({ statusCode, statusMessage }: IncomingMessage): void => {
      stream.destroy();
      reject(new Error(`the proxy ${proxy.hostname} answered ${statusCode} ${statusMessage} for ${target}`));
    };
    request.once("connect", (response, tunnel: Duplex, head) => {
      if (head.length > 0) tunnel.unshift(head);
      if (response.statusCode === 200) resolve(tunnel);
      else refuse(response);
    });
    request.once("response", refuse);
    request.on("error", (error) => {
      stream.destroy();
      reject(error);
    });
    request.end();
  });
}
