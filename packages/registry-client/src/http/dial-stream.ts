import type { Duplex } from "node:stream";

import type { Connection } from "./connection.ts";
import { connectionOver } from "./connection.ts";
import type { TlsTrust } from "./secure.ts";
import { http1, identityOf, tls, trustOptions } from "./secure.ts";

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
  const identity = identityOf(trust.servername);
  const stream = tls().connect({ ...trustOptions(trust), ...http1, ...identity, socket: dialed });
  dialed.once("error", (error) => stream.destroy(error));
  stream.once("close", () => dialed.destroy());
  return connectionOver(stream);
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
