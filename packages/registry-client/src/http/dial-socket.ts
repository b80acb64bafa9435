import type { LookupFunction, NetConnectOpts, Socket, TcpNetConnectOpts } from "node:net";
import { connect } from "node:net";

import { bareHost } from "../network-address.ts";
import type { Connection } from "./connection.ts";
import type { TlsTrust } from "./secure.ts";
import { http1, identityOf, tls, trustOptions } from "./secure.ts";
import { openSocket } from "./socket-connection.ts";

/** How sockets are opened. */
export interface SocketDialOptions extends TlsTrust {
  readonly lookup?: LookupFunction | undefined;
}

/** Opens sockets to the hosts of URLs, for `https:` with TLS. What goes wrong is told to whoever reads. */
export function createSocketDial({ lookup, ...trust }: SocketDialOptions): (url: URL) => Connection {
  /** What lets a connection begin where an earlier one has left off. */
  const sessions = new Map<string, Buffer>();
  return (url) =>
    openSocket(url.protocol === "https:", (onread) => {
      const target: TcpNetConnectOpts = {
        ...addressOf(url),
        ...{ onread, noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 },
        ...(lookup === undefined ? {} : { lookup }),
      };
      return url.protocol === "https:" ? openTls(target, trust, url, sessions) : connect(target);
    });
}

/** Where the host of a URL listens. */
export function addressOf({ hostname, port, protocol }: URL): { readonly host: string; readonly port: number } {
  const usualPort = protocol === "https:" ? 443 : 80;
  return { host: bareHost(hostname), port: port === "" ? usualPort : Number(port) };
}

function openTls(target: NetConnectOpts, trust: TlsTrust, url: URL, sessions: Map<string, Buffer>): Socket {
  const session = sessions.get(url.host);
  const socket = tls().connect({
    ...{ ...target, ...trustOptions(trust), ...http1, ...identityOf(url.hostname) },
    ...(session === undefined ? {} : { session }),
  });
  return socket
    .on("session", (ticket) => sessions.set(url.host, ticket))
    .once("close", (hadError) => {
      if (hadError) sessions.delete(url.host);
    });
}
