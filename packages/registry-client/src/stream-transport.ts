import { createConnectionPool } from "./http/connection-pool.ts";
import type { Dial } from "./http/dial-stream.ts";
import { dialStream } from "./http/dial-stream.ts";
import { exchange } from "./http/exchange.ts";
import { createHostTrust, isOwnHost } from "./host-trust.ts";
import type { RegistryRequest, RegistryTransport } from "./registry-transport.ts";

/** How to speak HTTP over streams. */
export interface StreamTransportOptions {
  /** For `https:` addresses. */
  readonly tls?: {
    /**
     * Certificate authority of the registry, as PEM; several may follow each other. It is trusted beside those that Node trusts, also for the token
     * services and storage that the registry leads to. @defaultValue those that Node trusts
     */
    readonly ca?: string | undefined;
    /** Name that the certificate of the registry's own host must have. @defaultValue the host of the address */
    readonly servername?: string | undefined;
    /**
     * Does not check the certificate of the registry's own host, which is {@link RegistryRequest.registryHost}; that of others, where the registry
     * leads to, is checked all the same. @defaultValue `false`
     */
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
  const trust = createHostTrust(tls);
  const close = async (): Promise<void> => {
    pool.endIdle();
  };
  return Object.assign(
    (request: RegistryRequest) => {
      const { url } = request;
      const isOwn = isOwnHost(request);
      const servername = (isOwn ? tls.servername : undefined) ?? url.hostname;
      const to = url.protocol === "https:" ? { url, trust: { servername, ...trust(isOwn) } } : { url };
      // Where certificates are checked, no connection is used for which that was not done.
      const route = { pool, key: `${url.origin} ${isOwn ? "own" : "other"}`, keepsLarge: true } as const;
      return exchange(request, { ...route, dial: (signal) => dialStream(dial, to, signal) });
    },
    { resolvesElsewhere: () => true, close, [Symbol.asyncDispose]: close },
  );
}
