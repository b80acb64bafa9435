import { createConnectionPool } from "./http/connection-pool.ts";
import type { Dial } from "./http/dial-stream.ts";
import { dialStream } from "./http/dial-stream.ts";
import { exchange } from "./http/exchange.ts";
import type { RegistryTransport } from "./registry-transport.ts";

/** How to speak HTTP over streams. */
export interface StreamTransportOptions {
  /** For `https:` addresses. */
  readonly tls?: {
    /** Certificate authority of the registry, as PEM. @defaultValue those that Node trusts */
    readonly ca?: string | undefined;
    /** Name that the certificate must have. @defaultValue the host of the address */
    readonly servername?: string | undefined;
    /** Does not check the certificate. @defaultValue `false` */
    readonly insecure?: boolean | undefined;
  };
  /** How long a stream is kept for the next request to the same host, in milliseconds; `0` keeps none. @defaultValue `1000` */
  readonly idleMs?: number | undefined;
}

/**
 * The transport for registries that only a stream reaches, such as a port-forward into a cluster. A stream serves one request after the other;
 * one that nothing has asked for is destroyed after `idleMs`, or with {@link RegistryTransport.close}.
 *
 * @param dial - Opens the stream to the host of `url`: the registry, its token service, or where it redirects to.
 */
export function createStreamTransport(
  dial: Dial,
  { tls = {}, idleMs = 1_000 }: StreamTransportOptions = {},
): RegistryTransport {
  const pool = createConnectionPool({ idleMs, maxIdle: 4 });
  const close = async (): Promise<void> => {
    pool.endIdle();
  };
  return Object.assign(
    (request: Parameters<RegistryTransport>[0]) => {
      const { url } = request;
      const to = url.protocol === "https:" ? { url, trust: trust(url, tls) } : { url };
      const route = { pool, key: url.origin, keepsLarge: true } as const;
      return exchange(request, { ...route, dial: (signal) => dialStream(dial, to, signal) });
    },
    { resolvesElsewhere: () => true, close, [Symbol.asyncDispose]: close },
  );
}

function trust(url: URL, { ca, servername, insecure = false }: NonNullable<StreamTransportOptions["tls"]>) {
  return {
    servername: servername ?? url.hostname,
    rejectUnauthorized: !insecure,
    ...(ca === undefined ? {} : { ca }),
  };
}
