import type { ByteText } from "../go-semantics/byte-text.ts";
import { decodeBase64 } from "../go-semantics/decode-base64.ts";
import {
  asObject,
  asText,
  GoJsonError,
  lastText,
  parseFirstJson,
  readFields,
  readMap,
} from "../go-semantics/go-json.ts";

/** An entry of `auths` as Docker's command line keeps it. */
export interface DockerCliEntry {
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
  readonly registryToken: string;
}

/** The parts of a `config.json` that decide who logs in. */
export interface DockerCliConfig {
  readonly auths: ReadonlyMap<string, DockerCliEntry>;
  readonly credHelpers: ReadonlyMap<string, string>;
  readonly credsStore: string;
}

const kinds = {
  texts:
    "psFormat imagesFormat networksFormat pluginsFormat volumesFormat statsFormat detachKeys credsStore serviceInspectFormat servicesFormat tasksFormat secretFormat configFormat nodesFormat currentContext",
  maps: "HttpHeaders credHelpers aliases features",
  lists: "pruneFilters cliPluginsExtraDirs",
  nested: "proxies plugins",
} as const;
const fieldKinds = new Map(
  Object.entries(kinds).flatMap(([kind, names]) => names.split(" ").map((name) => [name, kind] as const)),
);
const entryFields = ["username", "password", "auth", "serveraddress", "identitytoken", "registrytoken"] as const;
const proxyFields = ["httpProxy", "httpsProxy", "noProxy", "ftpProxy", "allProxy"] as const;

/**
 * Reads a `config.json` as Docker's command line does it: the first JSON value only, names without regard to case, every field of its type.
 *
 * @throws GoJsonError where Docker refuses the whole file: one bad entry is enough.
 */
export function parseDockerCliConfig(text: string): DockerCliConfig {
  const empty = /^[ \t\r\n]*$/.test(text);
  const fields = readFields(asObject(empty ? {} : parseFirstJson(text).value, ""), ["auths", ...fieldKinds.keys()]);
  for (const [name, kind] of fieldKinds) for (const value of fields[name] ?? []) checkField(name, kind, value);
  const auths = readMap(fields["auths"], "auths", readEntry);
  return {
    auths: new Map([...auths].map(([key, entry]) => [key, decodeEntry(key, entry)])),
    credHelpers: readMap(fields["credHelpers"], "credHelpers", (_, helper) => asText(helper, "credHelpers")),
    credsStore: lastText(fields["credsStore"], "credsStore"),
  };
}

function checkField(name: string, kind: string, value: unknown): void {
  if (kind === "texts") asText(value, name);
  else if (kind === "lists") {
    if (value !== null && !Array.isArray(value)) throw new GoJsonError(name, "is no list");
    for (const item of (value ?? []) as unknown[]) asText(item, name);
  } else {
    for (const inner of Object.values(asObject(value, name))) {
      if (kind === "maps") asText(inner, name);
      else checkNested(name, asObject(inner, name));
    }
  }
}

function checkNested(name: string, value: Readonly<Record<string, unknown>>): void {
  const known = name === "plugins" ? Object.values(value) : Object.values(readFields(value, proxyFields)).flat();
  for (const text of known) asText(text, name);
}

interface WrittenEntry extends DockerCliEntry {
  readonly auth: string;
}

function readEntry(key: string, value: unknown): WrittenEntry {
  const fields = readFields(asObject(value, `auths.${key}`), entryFields);
  const text = (name: (typeof entryFields)[number]): string => lastText(fields[name], `auths.${key}.${name}`);
  text("serveraddress");
  const login = { auth: text("auth"), username: text("username"), password: text("password") };
  return { ...login, identityToken: text("identitytoken"), registryToken: text("registrytoken") };
}

function decodeEntry(key: string, { auth, ...entry }: WrittenEntry): DockerCliEntry {
  return auth === "" ? entry : { ...entry, ...decodeDockerAuth(auth, key) };
}

function decodeDockerAuth(auth: string, key: string): { username: string; password: string } {
  const decoded = decodeBase64(auth, "padded");
  const colon = decoded?.indexOf(":") ?? -1;
  if (decoded === undefined || colon <= 0)
    throw new GoJsonError(`auths.${key}.auth`, "is not username:password in base64");
  const text = (bytes: ByteText): string => Buffer.from(bytes, "latin1").toString("utf8");

  const password = decoded.slice(colon + 1).replace(/^\0+|\0+$/g, "");
  return { username: text(decoded.slice(0, colon)), password: text(password) };
}

/**
 * Reads the variable `DOCKER_AUTH_CONFIG`, which knows nothing but `auths` with `auth`.
 *
 * @throws GoJsonError where Docker warns and goes on without it.
 */
export function parseDockerAuthVariable(text: string): ReadonlyMap<string, DockerCliEntry> {
  if (/^[ \t\r\n]*$/.test(text)) return new Map();
  const { value, rest } = parseFirstJson(text);
  if (!/^[ \t\r\n]*(?:[\]}]|$)/.test(rest)) throw new GoJsonError("", "is more than one JSON object");
  const auths = readMap(readKnown(value, "", "auths"), "auths", (key, entry) =>
    lastText(readKnown(entry, `auths.${key}`, "auth"), `auths.${key}.auth`),
  );
  return new Map(
    [...auths].map(([key, auth]) => {
      if (auth === "") throw new GoJsonError(`auths.${key}`, "has no auth");
      return [key, { ...decodeDockerAuth(auth, key), identityToken: "", registryToken: "" }];
    }),
  );
}

/** The values of the only field that may be there. */
function readKnown(value: unknown, path: string, name: string): readonly unknown[] {
  const object = asObject(value, path);
  const values = readFields(object, [name])[name] ?? [];
  if (values.length < Object.keys(object).length) throw new GoJsonError(path, `has more than ${name}`);
  return values;
}
