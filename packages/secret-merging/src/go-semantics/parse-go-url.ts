import { isIPv6 } from "node:net";

import type { ByteText } from "./byte-text.ts";

/** The parts of a URL that lookups of credentials use, decoded. */
export interface GoUrl {
  /** Host and port as they stand there. */
  readonly host: ByteText;
  readonly path: ByteText;
}

const hostBytes = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"\x80-\xff]$/;
const userInfo = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
const optionalPort = /^(?::[0-9]*)?$/;

/**
 * Reads a URL as Go's `net/url` does it in programs that were made for Go 1.25 or older, such as the kubelet: later ones refuse a host with
 * several colons. `undefined` where Go has an error.
 */
export function parseGoUrl(text: ByteText): GoUrl | undefined {
  const [url = "", ...fragment] = splitOnce(text, "#");

  if (/[\x00-\x1f\x7f]/.test(url) || unescape(fragment.join(""), "path") === undefined) return undefined;
  if (url === "*") return { host: "", path: "*" };
  const scheme = /^([A-Za-z][A-Za-z0-9+\-.]*):/.exec(url)?.[1] ?? "";
  if (url.startsWith(":")) return undefined;
  const rest = splitOnce(scheme === "" ? url : url.slice(scheme.length + 1), "?")[0] ?? "";
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { host: "", path: "" };
    if (/^[^/]*:/.test(rest)) return undefined;
  }
  if (!rest.startsWith("//") || (scheme === "" && rest.startsWith("///"))) return withPath("", rest);
  const slash = rest.indexOf("/", 2);
  const authority = slash === -1 ? rest.slice(2) : rest.slice(2, slash);
  const host = parseAuthority(authority);
  return host === undefined ? undefined : withPath(host, slash === -1 ? "" : rest.slice(slash));
}

/** The host without its port and brackets, and the port. */
export function splitUrlHost(host: ByteText): { readonly hostname: ByteText; readonly port: string } {
  const colon = host.lastIndexOf(":");
  const hasPort = colon !== -1 && optionalPort.test(host.slice(colon));
  const name = hasPort ? host.slice(0, colon) : host;
  const bracketed = name.startsWith("[") && name.endsWith("]");
  return { hostname: bracketed ? name.slice(1, -1) : name, port: hasPort ? host.slice(colon + 1) : "" };
}

function splitOnce(text: string, separator: string): string[] {
  const index = text.indexOf(separator);
  return index === -1 ? [text] : [text.slice(0, index), text.slice(index + separator.length)];
}

function withPath(host: ByteText, encoded: ByteText): GoUrl | undefined {
  const path = unescape(encoded, "path");
  return path === undefined ? undefined : { host, path };
}

function parseAuthority(authority: ByteText): ByteText | undefined {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  if (!userInfo.test(user) || unescape(user, "path") === undefined) return undefined;
  return parseHost(authority.slice(at + 1));
}

function parseHost(host: ByteText): ByteText | undefined {
  const bracket = host.lastIndexOf("[");
  if (bracket > 0) return undefined;
  if (bracket === 0) return parseAddress(host);
  const colon = host.lastIndexOf(":");
  if (colon !== -1 && !optionalPort.test(host.slice(colon))) return undefined;
  return unescape(host, "host");
}

/** An IPv6 address in brackets; after `%25` comes a zone, in which nearly everything may be escaped. */
function parseAddress(host: ByteText): ByteText | undefined {
  const end = host.lastIndexOf("]");
  if (end < 0 || !optionalPort.test(host.slice(end + 1))) return undefined;
  const inside = host.slice(1, end);
  const zone = inside.indexOf("%25");
  const address = unescape(zone === -1 ? inside : inside.slice(0, zone), "host");
  const suffix = zone === -1 ? "" : unescape(inside.slice(zone), "zone");
  if (address === undefined || suffix === undefined) return undefined;
  // A zone begins after the first percent sign and must not be empty.
  const whole = address + suffix;
  const percent = whole.indexOf("%");
  if (percent === whole.length - 1 || !isIPv6(percent === -1 ? whole : whole.slice(0, percent))) return undefined;
  return `[${whole}]${host.slice(end + 1)}`;
}

/** Decodes escapes. In a host only bytes beyond ASCII and the percent sign may be escaped, and only some others may stand there. */
function unescape(text: ByteText, mode: "host" | "zone" | "path"): ByteText | undefined {
  const strict = mode !== "path";
  let decoded = "";
  for (let index = 0; index < text.length; index += 1) {
    const byte = text.charAt(index);
    if (byte !== "%") {
      if (strict && !hostBytes.test(byte)) return undefined;
      decoded += byte;
      continue;
    }
    const digits = text.slice(index + 1, index + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return undefined;
    const code = Number.parseInt(digits, 16);
    const escaped = String.fromCharCode(code);
    if (mode === "host" && code < 0x80 && digits !== "25") return undefined;
    if (mode === "zone" && digits !== "25" && escaped !== " " && (code >= 0x80 || !hostBytes.test(escaped)))
      return undefined;
    decoded += escaped;
    index += 2;
  }
  return decoded;
}
