import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns";
import type { LookupFunction } from "node:net";

import { createConnectionPool } from "./http/connection-pool.ts";
import type { ConnectionPool } from "./http/connection-pool.ts";
import type { Connection } from "./http/connection.ts";
import { createSocketDial } from "./http/dial-socket.ts";
import { dialStream } from "./http/dial-stream.ts";
import { exchange } from "./http/exchange.ts";
import { createHostTrust, isOwnHost } from "./host-trust.ts";
import { dialThroughProxy, proxyHeaders } from "./proxy-dial.ts";
import { readProxySettings } from "./proxy-settings.ts";
import type { RegistryRequest, RegistryResponse, RegistryTransport } from "./registry-transport.ts";

/** How to reach registries over the network of this process. */
export interface NetworkTransportOptions {
  /**
   * Certificate authority of the registry, as PEM; several may follow each other. It is trusted beside those that Node trusts, also for the token
   * services and storage that the registry leads to. @defaultValue those that Node trusts
   */
  readonly ca?: string | undefined;
  /**
   * Does not check the certificate of the registry's own host, which is {@link RegistryRequest.registryHost}; that of others, where the registry
   * leads to, is checked all the same. @defaultValue `false`
   */
  readonly insecure?: boolean | undefined;
  /**
   * Proxy, as a URL; `false` for none. Names are resolved by the proxy then, where nobody checks their addresses: a registry that is reached by
   * plain HTTP cannot lead to another name by plain HTTP, unless it is a neighbour or allowed. @defaultValue what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say
   */
  readonly proxy?: string | false | undefined;
  /** How long a connection is kept for the next request, in milliseconds. @defaultValue `4000` */
  readonly idleMs?: number | undefined;
}

type CheckAddress = (address: string) => void;

/**
 * The transport for registries that this process can reach itself. Nothing is opened before the first request.
 *
 * @throws `INVALID_OPTIONS` for a proxy that is none
 */
export function createNetworkTransport(options: NetworkTransportOptions = {}): RegistryTransport {
  const { idleMs = 4_000 } = options;
  const proxyFor = readProxySettings(options.proxy, process.env);
  const trust = createHostTrust(options);
  // Connections are not shared by those who check addresses or certificates differently: what one may reach the other may not.
  const direct: Record<"own" | "other", Map<CheckAddress | undefined, DirectRoute>> = {
    own: new Map(),
    other: new Map(),
  };
  const proxied = createConnectionPool({ idleMs, maxIdle: 4 });

  const sendDirectly = (request: RegistryRequest): Promise<RegistryResponse> => {
    const { url, checkAddress } = request;
    const isOwn = isOwnHost(request);
    const routes = isOwn ? direct.own : direct.other;
    const { pool, dial } = routes.get(checkAddress) ?? {
      pool: createConnectionPool({ idleMs, maxIdle: 16 }),
      dial: createSocketDial({
        ...trust(isOwn),
        ...(checkAddress === undefined ? {} : { lookup: checkedLookup(checkAddress) }),
      }),
    };
    routes.set(checkAddress, { pool, dial });
    return exchange(request, { pool, key: url.origin, keepsLarge: false, dial: () => dial(url) });
  };
  const sendThrough = (proxy: URL, request: RegistryRequest): Promise<RegistryResponse> => {
    const { url } = request;
    const dial = (dialSignal: AbortSignal, to: URL) => dialThroughProxy(proxy, to, dialSignal);
    const isSecure = url.protocol === "https:";
    const isOwn = isOwnHost(request);
    const to = isSecure ? { url, trust: { servername: url.hostname, ...trust(isOwn) } } : { url };
    return exchange(request, {
      pool: proxied,
      key: `${proxy.href} ${url.origin} ${isOwn ? "own" : "other"}`,
      keepsLarge: true,
      dial: (dialSignal) => dialStream(dial, to, dialSignal),
      ...(isSecure ? {} : { target: url.href, headers: proxyHeaders(proxy) }),
    });
  };
  const close = async (): Promise<void> => {
    for (const { pool } of [...direct.own.values(), ...direct.other.values()]) pool.endIdle();
    proxied.endIdle();
  };
  const send = (request: RegistryRequest): Promise<RegistryResponse> => {
    const proxy = proxyFor(request.url);
    return proxy === undefined ? sendDirectly(request) : sendThrough(proxy, request);
  };
  const resolvesElsewhere = (url: URL): boolean => proxyFor(url) !== undefined;
  return Object.assign(send, { resolvesElsewhere, close, [Symbol.asyncDispose]: close });
}

interface DirectRoute {
  readonly pool: ConnectionPool;
  readonly dial: (url: URL) => Connection;
}

/** Finds addresses as node does, and gives only those away to which a connection may be made. */
function checkedLookup(checkAddress: CheckAddress): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      const { allowed, refusal } = checkAll(error === null ? found : [], checkAddress);
      const [first] = allowed;
      if (first === undefined) callback(error ?? refusal ?? new Error(`no address of ${hostname}`), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function checkAll(
  found: readonly LookupAddress[],
  checkAddress: CheckAddress,
): { readonly allowed: LookupAddress[]; readonly refusal: Error | undefined } {
  let refusal: Error | undefined;
  const allowed = found.filter(({ address }) => {
    try {
      checkAddress(address);
      return true;
    } catch (error) {
      refusal = error instanceof Error ? error : new Error(String(error));
      return false;
    }
  });
  return { allowed, refusal };
}
