import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns";
import type { Agent } from "node:http";
import type { LookupFunction } from "node:net";

import { exchangeInBulk } from "./bulk-exchange.ts";
import { endIdle, exchange } from "./http-exchange.ts";
import { http, https } from "./node-http.ts";
import { dialThroughProxy, proxyHeaders } from "./proxy-dial.ts";
import { readProxySettings } from "./proxy-settings.ts";
import type { RegistryRequest, RegistryResponse, RegistryTransport } from "./registry-transport.ts";
import { StreamAgent } from "./stream-agent.ts";

/** How to reach registries over the network of this process. */
export interface NetworkTransportOptions {
  /** Certificate authority of the registry, as PEM. @defaultValue those that Node trusts */
  readonly ca?: string | undefined;
  /** Does not check the registry's certificate. @defaultValue `false` */
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
  const { ca, insecure = false, idleMs = 4_000 } = options;
  const proxyFor = readProxySettings(options.proxy, process.env);
  const trust = { rejectUnauthorized: !insecure, ...(ca === undefined ? {} : { ca }) };
  // Connections are not shared by those who check addresses differently: what one may reach the other may not.
  const direct = new Map<CheckAddress | undefined, ReturnType<typeof directAgents>>();
  const proxied = new Map<string, StreamAgent>();

  const sendDirectly = async (request: RegistryRequest): Promise<RegistryResponse> => {
    const { url, checkAddress } = request;
    const agents = direct.get(checkAddress) ?? directAgents(trust, idleMs, checkAddress);
    direct.set(checkAddress, agents);
    const agent = agents.for(url.protocol);
    return (
      (request.bulk === undefined ? undefined : await exchangeInBulk(request, agent)) ?? exchange(request, { agent })
    );
  };
  const sendThrough = (proxy: URL, request: RegistryRequest): Promise<RegistryResponse> => {
    const { url, signal } = request;
    const dial = (dialSignal: AbortSignal, to: URL) => dialThroughProxy(proxy, to, dialSignal);
    const agent = proxied.get(proxy.href) ?? new StreamAgent(dial, idleMs);
    proxied.set(proxy.href, agent);
    const isSecure = url.protocol === "https:";
    return exchange(request, {
      agent,
      ...(isSecure ? {} : { target: url.href, headers: proxyHeaders(proxy) }),
      connection: { url, dialSignal: signal, ...(isSecure ? { tls: { servername: url.hostname, ...trust } } : {}) },
    });
  };
  const close = async (): Promise<void> => {
    for (const agents of direct.values()) for (const agent of agents.all()) endIdle(agent);
    for (const agent of proxied.values()) endIdle(agent);
  };
  const send = (request: RegistryRequest): Promise<RegistryResponse> => {
    const proxy = proxyFor(request.url);
    return proxy === undefined ? sendDirectly(request) : sendThrough(proxy, request);
  };
  const resolvesElsewhere = (url: URL): boolean => proxyFor(url) !== undefined;
  return Object.assign(send, { resolvesElsewhere, close, [Symbol.asyncDispose]: close });
}

interface DirectAgents {
  for(protocol: string): Agent;
  all(): readonly Agent[];
}

function directAgents(trust: object, idleMs: number, checkAddress: CheckAddress | undefined): DirectAgents {
  const agents: { http?: Agent; https?: Agent } = {};
  const connection = {
    ...({ keepAlive: true, maxFreeSockets: 16, scheduling: "lifo", timeout: idleMs } as const),
    ...(checkAddress === undefined ? {} : { lookup: checkedLookup(checkAddress) }),
  };
  return {
    for: (protocol) =>
      protocol === "https:"
        ? (agents.https ??= new (https().Agent)({ ...connection, ...trust }))
        : (agents.http ??= new http.Agent(connection)),
    all: () => Object.values(agents),
  };
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
