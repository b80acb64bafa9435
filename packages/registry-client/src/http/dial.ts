import { connect, isIP, type LookupFunction, type OnReadOpts, type Socket } from "node:net";
import type * as Tls from "node:tls";
import type { Duplex } from "node:stream";

import type { Connection } from "./connection.ts";
import { connectionOver, openSocket } from "./connection.ts";

/** Which certificates are taken. */
export interface TlsTrust {
  /** Certificate authority, as PEM. @defaultValue those that Node trusts */
  readonly ca?: string;
  readonly rejectUnauthorized: boolean;
}

/** How sockets are opened. */
export interface SocketDialOptions extends TlsTrust {
  readonly lookup?: LookupFunction | undefined;
}

/** `node:tls`, loaded with the first use. */
export function tls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}

/** Opens sockets to the hosts of URLs, for `https:` with TLS. What goes wrong is told to whoever reads. */
export function createSocketDial({ lookup, ...trust }: SocketDialOptions): (url: URL) => Connection {
  /** What lets a connection begin where an earlier one has left off. */
  const sessions = new Map<string, Buffer>();
  return (url) =>
    openSocket(url.protocol === "https:", (onread) => {
      const target = {
        ...{ host: bareHost(url.hostname), port: portOf(url), onread: onread as unknown as OnReadOpts },
        ...{ noDelay: true, keepAlive: true, keepAliveInitialDelay: 1000 },
        ...(lookup === undefined ? {} : { lookup }),
      };
      return url.protocol === "https:" ? openTls(target, trust, url, sessions) : connect(target);
    });
}

function openTls(target: object, trust: TlsTrust, url: URL, sessions: Map<string, Buffer>): Socket {
  const session = sessions.get(url.host);
  const socket = tls().connect({
    ...{ ...target, ...trust, ...http1, ...nameOf(url.hostname) },
    ...(session === undefined ? {} : { session }),
  });
  return socket
    .on("session", (ticket) => sessions.set(url.host, ticket))
    .once("close", (hadError) => {
      if (hadError) sessions.delete(url.host);
    });
}

const http1 = { ALPNProtocols: ["http/1.1"] };

/** Opens a stream to the host of `url`. The signal ends the dialling; what becomes of the stream is not up to it. */
export type Dial = (signal: AbortSignal, url: URL) => Promise<Duplex>;

/** A connection over a stream that somebody else dials, with TLS on it where `trust` is given. */
export async function dialStream(
  dial: Dial,
  { url, trust }: { readonly url: URL; readonly trust?: (TlsTrust & { readonly servername: string }) | undefined },
  signal: AbortSignal,
): Promise<Connection> {
  const dialed = await dialFor(dial, url, signal);
  // For as long as the stream lives: an error that nobody listens to would end the process.
  dialed.on("error", () => undefined);
  if (trust === undefined || dialed.destroyed) return connectionOver(dialed);
  const { servername, ...rest } = trust;
  try {
    const stream = tls().connect({ ...rest, ...http1, ...nameOf(servername), socket: dialed });
    dialed.once("error", (error) => stream.destroy(error));
    stream.once("close", () => dialed.destroy());
    return connectionOver(stream);
  } catch (error) {
    // A certificate authority that is none.
    dialed.destroy();
    throw error;
  }
}

/** What a certificate must be for; the name of a server is no address. */
function nameOf(host: string): { readonly servername?: string; readonly host?: string } {
  const bare = bareHost(host);
  return isIP(bare) === 0 ? { servername: bare } : { host: bare };
}

/** Streams of a cluster end with the signal that they were opened with, and this one may serve others after the request that it is dialled for. */
async function dialFor(dial: Dial, url: URL, signal: AbortSignal): Promise<Duplex> {
  const dialing = new AbortController();
  const leave = (): void => {
    dialing.abort(signal.reason);
  };
  if (signal.aborted) leave();
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await dial(dialing.signal, url);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}

/** A URL writes IPv6 addresses in brackets. */
function bareHost(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}
