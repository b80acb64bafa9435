import { BlockList, isIP, isIPv4 } from "node:net";

const loopback = /^(localhost|127(\.\d+){3}|\[?::1\]?)$/;

function matchesCidr(host: string, entry: string): boolean {
  const [network = "", bits = ""] = entry.split("/");
  if (isIP(host) === 0 || isIP(network) !== isIP(host) || !/^\d+$/.test(bits)) return false;
  const family = isIPv4(host) ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, Number(bits), family);
  return list.check(host, family);
}

/** Whether one entry of `NO_PROXY` covers a host, by the rules of Go's httpproxy, which kubectl uses. */
export function matchesNoProxy(entry: string, host: string, port: string): boolean {
  const wanted = entry.trim().toLowerCase();
  if (wanted === "") return false;
  if (wanted === "*") return true;
  if (wanted.includes("/")) return matchesCidr(host, wanted);
  const [, name = wanted, onlyPort] = /^([^:]*|\[.*\]):(\d+)$/.exec(wanted) ?? [];
  if (onlyPort !== undefined && onlyPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "").replace(/^\*(?=\.)/, "");
  if (bare.startsWith(".")) return host.endsWith(bare);
  return host === bare || (isIP(bare) === 0 && host.endsWith(`.${bare}`));
}

/**
 * The proxy to reach `server` through: the `proxy-url` of the kubeconfig, else `HTTPS_PROXY` (or `HTTP_PROXY` for http) unless
 * `NO_PROXY` covers it. A server on the loopback interface is never asked through a proxy of the environment.
 */
export function proxyFor(server: URL, proxyUrl: string | undefined, environment: NodeJS.ProcessEnv): URL | undefined {
  if (proxyUrl) return new URL(proxyUrl);
  const lower = server.protocol === "https:" ? "https_proxy" : "http_proxy";
  const fromEnvironment = environment[lower.toUpperCase()] ?? environment[lower];
  if (!fromEnvironment) return undefined;
  const host = server.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = server.port || (server.protocol === "https:" ? "443" : "80");
  const exceptions = (environment.NO_PROXY ?? environment.no_proxy ?? "").split(",");
  if (loopback.test(host) || exceptions.some((entry) => matchesNoProxy(entry, host, port))) return undefined;
  return new URL(/^[a-z0-9]+:\/\//i.test(fromEnvironment) ? fromEnvironment : `http://${fromEnvironment}`);
}
