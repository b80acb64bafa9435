import type { SecretData } from "@slipway/core";

import { toByteText } from "../go-semantics/byte-text.ts";
import type { ByteText } from "../go-semantics/byte-text.ts";
import { decodeBase64 } from "../go-semantics/decode-base64.ts";
import { asObject, asText, GoJsonError, lastText, parseJson, readFields, readMap } from "../go-semantics/go-json.ts";
import { parseGoUrl } from "../go-semantics/parse-go-url.ts";

/** An entry of a pull Secret as the kubelet keeps it: tokens and helpers mean nothing to it. */
export interface KubeletEntry {
  /** As it stands in the Secret. */
  readonly name: string;
  /** Host and path, the way the kubelet compares them. */
  readonly key: ByteText;
  readonly username: string;
  readonly password: string;
}

const contents = [
  { type: "kubernetes.io/dockerconfigjson", dataKey: ".dockerconfigjson" },
  { type: "kubernetes.io/dockercfg", dataKey: ".dockercfg" },
] as const;

/**
 * What the kubelet reads from a Secret: `undefined` if the Secret is none for it.
 *
 * @throws GoJsonError if the kubelet would fail at it, and with it every pull of the pod.
 */
export function readKubeletEntries(secret: SecretData): readonly KubeletEntry[] | undefined {
  const content = contents.find(({ type, dataKey }) => secret.type === type && (secret.data[dataKey]?.length ?? 0) > 0);
  if (content === undefined) return undefined;
  const value = parseJson(Buffer.from(secret.data[content.dataKey] ?? []).toString("utf8"));
  if (content.dataKey === ".dockercfg") return filed(readMap([value], "", readLogin));
  const { auths, HttpHeaders: headers } = readFields(asObject(value, ""), ["auths", "HttpHeaders"]);
  readMap(headers, "HttpHeaders", (_, header) => asText(header, "HttpHeaders"));
  return filed(readMap(auths, "auths", readLogin));
}

interface Login {
  readonly username: string;
  readonly password: string;
}

function filed(logins: ReadonlyMap<string, Login>): KubeletEntry[] {
  return [...logins].flatMap(([name, login]) => {
    const key = kubeletKey(name);
    return key === undefined ? [] : [{ name, key, ...login }];
  });
}

function readLogin(name: string, value: unknown): Login {
  const fields = readFields(asObject(value, `auths.${name}`), ["username", "password", "email", "auth"]);
  const text = (field: keyof typeof fields): string => lastText(fields[field], `auths.${name}.${field}`);
  text("email");
  const auth = text("auth");
  const [username, password] = [text("username"), text("password")];
  return auth === "" ? { username, password } : decodeKubeletAuth(auth, name);
}

function decodeKubeletAuth(auth: string, name: string): Login {
  const padded = /=[\s\u0085]*$/u.test(auth);
  const decoded = decodeBase64(auth, padded ? "padded" : "unpadded");
  const colon = decoded?.indexOf(":") ?? -1;
  if (decoded === undefined || colon === -1)
    throw new GoJsonError(`auths.${name}.auth`, "is not username:password in base64");
  const text = (bytes: ByteText): string => Buffer.from(bytes, "latin1").toString("utf8");
  return { username: text(decoded.slice(0, colon)), password: text(decoded.slice(colon + 1)) };
}

/** The key under which the kubelet keeps an entry; `undefined` if it ignores the entry because its name is no URL. */
export function kubeletKey(name: string): ByteText | undefined {
  const text = toByteText(name);
  const url = parseGoUrl(/^https?:\/\//.test(text) ? text : `https://${text}`);
  if (url === undefined) return undefined;
  const path = /^\/v[12]\//.test(url.path) ? url.path.slice(3) : url.path;
  return path === "/" ? url.host : url.host + path;
}
