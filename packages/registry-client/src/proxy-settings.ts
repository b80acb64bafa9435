import { invalidOptions } from "@slipway/core";

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
    .filter((entry) => entry !== "");
  return (url) => {
    const found = proxies[url.protocol === "https:" ? "https:" : "http:"];
    if (found === undefined || hostKind(url.hostname) === "loopback") return undefined;
    return exceptions.some((entry) => isExcepted(entry, url)) ? undefined : found;
  };
}

function parseProxy(path: string, value: string | undefined): URL | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(/^[a-z\d+.-]+:\/\//i.test(value) ? value : `http://${value}`);
  if (url !== null && (url.protocol === "http:" || url.protocol === "https:")) return url;
  // Not the value itself: it may hold a password.
  throw invalidOptions("the registry client", [{ path, message: "is no address of an HTTP proxy" }]);
}

/** `*`, `host`, `.domain` and `domain` with all below, each with or without a port. */
function isExcepted(entry: string, url: URL): boolean {
  if (entry === "*") return true;
  const [, pattern = "", port] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const actualPort = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  if (port !== undefined && port !== actualPort) return false;
  const host = bareHost(url.hostname);
  const domain = bareHost(pattern).replace(/^\*?\./, "");
  return host === domain || host.endsWith(`.${domain}`);
}
