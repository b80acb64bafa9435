import { BlockList, isIP } from "node:net";

import { invalidOptions } from "@slipway/core/errors";

import { bareHost, hostKind } from "./network-address.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy through which a URL is reached; `undefined` for none. */
export type ProxyFor = (url: URL) => URL | undefined;

/**
 * Reads settings as curl and Go's programs do: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case of letters. This machine itself is never
 * reached through a proxy.
 *
 * @param proxy - Replaces the variables; `false` means none.
 */
export function readProxySettings(proxy: string | false | undefined, environment: Environment): ProxyFor {
  if (proxy === false) return () => undefined;
  const read = (name: string): string | undefined =>
    [environment[name.toLowerCase()], environment[name]].find((value) => value !== undefined && value !== "");
  const proxies = {
    "https:": parseProxy("proxy", proxy ?? read("HTTPS_PROXY")),
    "http:": parseProxy("proxy", proxy ?? read("HTTP_PROXY")),
  };
  const exceptions = (proxy === undefined ? (read("NO_PROXY") ?? "") : "")
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .map(parseException);
  return (url) => {
    const found = proxies[url.protocol === "https:" ? "https:" : "http:"];
    if (found === undefined || hostKind(url.hostname) === "loopback") return undefined;
    return exceptions.some((isExcepted) => isExcepted(url)) ? undefined : found;
  };
}

/** Why a text is no proxy; `undefined` if it is one. The text is not quoted: it may hold a password. */
export function proxyProblem(text: string): string | undefined {
  return readProxy(text) === undefined ? "is no address of an HTTP proxy; write http://host:port" : undefined;
}

function parseProxy(path: string, value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  const problem = proxyProblem(value);
  if (problem !== undefined) throw invalidOptions("the registry client", [{ path, message: problem }]);
  return readProxy(value);
}

function readProxy(text: string): URL | undefined {
  const url = URL.parse(/^[a-z\d+.-]+:\/\//i.test(text) ? text : `http://${text}`);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") ? url : undefined;
}

type Exception = (url: URL) => boolean;

/** `*`, `host`, `.domain` and `domain` with all below, addresses, each with or without a port; and `10.0.0.0/8`. */
function parseException(entry: string): Exception {
  if (entry === "*") return () => true;
  const subnet = parseSubnet(entry);
  if (subnet !== undefined) return ({ hostname }) => contains(subnet, bareHost(hostname));
  // The colons of an IPv6 address are none before a port.
  const isAddress = isIP(bareHost(entry)) === 6;
  const [, pattern = "", port] = (isAddress ? undefined : /^(.*?)(?::(\d+))?$/.exec(entry)) ?? [entry, entry];
  const name = bareHost(pattern);
  const address = parseSubnet(`${name}/${isIP(name) === 6 ? 128 : 32}`);
  const domain = name.replace(/^\*?\./, "");
  return (url) => {
    if (port !== undefined && port !== portOf(url)) return false;
    const host = bareHost(url.hostname);
    if (address !== undefined) return contains(address, host);
    return host === domain || host.endsWith(`.${domain}`);
  };
}

function portOf({ port, protocol }: URL): string {
  return port === "" ? (protocol === "https:" ? "443" : "80") : port;
}

function parseSubnet(entry: string): BlockList | undefined {
  const [, text = "", prefix] = /^(.*)\/(\d{1,3})$/.exec(entry) ?? [];
  const address = bareHost(text);
  const family = isIP(address);
  if (family === 0 || Number(prefix) > (family === 6 ? 128 : 32)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(prefix), family === 6 ? "ipv6" : "ipv4");
  return list;
}

function contains(subnet: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && subnet.check(host, family === 6 ? "ipv6" : "ipv4");
}
