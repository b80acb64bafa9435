import type { RandomSource } from "./random-source.ts";

/** A question to the kubelet's keyring. */
export interface KeyringCase {
  readonly secrets: readonly { readonly type: string; readonly data: Readonly<Record<string, string>> }[];
  readonly image: string;
}

/** A question to Docker's command line. */
export interface DockerLookupCase {
  readonly config: string;
  readonly authVariable: string;
  readonly host: string;
}

const schemes = ["", "", "", "https://", "http://", "HTTPS://", "ftp://", "//", "u@", "https://u:p@", "unix:///", "a:"];
const names = [
  ...["r.a.io", "docker.io", "index.docker.io", "a.io", "r.b.io", "localhost", "registry-1.docker.io", "x.r.a.io"],
  ...["*.a.io", "127.0.0.1", "[::1]", "*.io", "r.*.io", "*.*.io", "R.A.io", "[fd00::1]", "*", "r*.a.io", "*r.*a.i*"],
  ...[
    "r?.a.io",
    "[ab].io",
    "[1]",
    "r.a.io.",
    "ü.io",
    "%C3%BC.io",
    "a b.io",
    "a%20.io",
    "a%25.io",
    "a_b.io",
    "r\\.a.io",
  ],
  ...[
    "[::1%25eth0]",
    "[::ffff:1.2.3.4]",
    "::1",
    "",
    "r.a.io\u0001",
    "r<a>.io",
    "%zz.io",
    "r.a.i\u212a",
    "😀.io",
    "a[b].io",
  ],
] as const;
const ports = ["", "", "", ":5000", ":443", ":80", ":", ":x", ":5000:1", ":%35"];
const paths = [
  ...[
    "",
    "",
    "/",
    "/v1/",
    "/v2/",
    "/team",
    "/team/app",
    "/v1",
    "/v2",
    "/team/",
    "/te",
    "/team/application",
    "/library",
  ],
  ...[
    "/library/busybox",
    "/v2/team",
    "/v1/v2/",
    "//team",
    "/%74eam",
    "/team%2Fapp",
    "?x",
    "#f",
    "/team?",
    "/te*",
    "/%",
    "/%ff",
  ],
  ...["/team#%zz", "/v2//", "/team%3Fapp", "/😀", "/v2team", "/v1/team/app", "/a:b"],
] as const;
const usernames = ["ann", "bob", "", "üser", "<token>", "a b", "AWS", "oauth2accesstoken"];
const passwords = ["hunter2", "a:b", "", "\0x\0", "pass\0\0", "ü", ":", "😀"];

function makeKey(random: RandomSource): string {
  const scheme = random.chance(0.6) ? "" : random.prefer(schemes);
  return scheme + random.prefer(names) + random.prefer(ports) + random.prefer(paths);
}

/** What an image may be looked up by: mostly a name that one of the keys could serve. */
function makeImage(random: RandomSource, keys: readonly string[]): string {
  if (keys.length > 0 && random.chance(0.6)) {
    const key = random
      .pick(keys)
      .replace(/^\w+:\/\//, "")
      .replaceAll("*", () => random.pick(["r", "a", "", "x.y"]));
    return key + random.prefer(["", "/app", "lication", "/team/app", ":5000"]);
  }
  return random.prefer(names) + random.prefer(ports) + random.prefer(["/team/app", "/library/busybox", ...paths]);
}

function makeAuth(random: RandomSource): string {
  const auth = Buffer.from(`${random.prefer(usernames)}:${random.prefer(passwords)}`).toString("base64");
  if (random.chance(0.97)) return auth;
  const spoil: readonly ((text: string) => string)[] = [
    (text) => text.replace(/=+$/, ""),
    (text) => `${text}\n`,
    (text) => `${text.slice(0, 3)}\r\n${text.slice(3)}`,
    (text) => `${text} `,
    (text) => `${text}=`,
    (text) => text.slice(1),
    () => Buffer.from("nocolon").toString("base64"),
    (text) => text.replaceAll("+", "-"),
    () => "=",
    () => "!",
  ];
  return random.pick(spoil)(auth);
}

type Entry = Record<string, unknown> | null | string | number;

function makeEntry(random: RandomSource): Entry {
  if (random.chance(0.01)) return random.pick([null, "text", 7]);
  const entry: Record<string, unknown> = {};
  if (random.chance(0.7)) entry[random.chance(0.98) ? "auth" : "AUTH"] = makeAuth(random);
  if (random.chance(0.3)) entry["username"] = random.prefer(usernames);
  if (random.chance(0.3)) entry[random.chance(0.95) ? "password" : "paſſword"] = random.prefer(passwords);
  if (random.chance(0.1)) entry["email"] = random.chance(0.95) ? "a@b.c" : null;
  if (random.chance(0.1)) entry["identitytoken"] = random.pick(["token", "", null]);
  if (random.chance(0.1)) entry["registrytoken"] = "bearer";
  if (random.chance(0.01)) entry["serveraddress"] = random.pick(["x", null, 4]);
  if (random.chance(0.005)) entry[random.pick(["username", "auth", "email", "other"])] = random.pick([7, [], {}]);
  return entry;
}

function makeAuths(random: RandomSource, host?: string): Record<string, unknown> {
  const auths: Record<string, unknown> = {};
  for (let left = random.below(4); left >= 0; left -= 1) {
    const own = host !== undefined && random.chance(0.4);
    const key = own ? random.prefer(schemes) + host + random.prefer(paths) : makeKey(random);
    auths[key] = makeEntry(random);
  }
  return auths;
}

const brokenTexts = [
  "",
  "null",
  "[]",
  "{",
  "7",
  '"x"',
  "'{\"auths\":{}}'",
  '\ufeff{"auths":{}}',
  '{"auths":[]}',
  '{"auths":null}',
];

function makeConfig(random: RandomSource, auths: Record<string, unknown>): string {
  if (random.chance(0.01)) return random.pick(brokenTexts);
  const config: Record<string, unknown> = { [random.chance(0.98) ? "auths" : random.pick(["Auths", "authſ"])]: auths };
  if (random.chance(0.01))
    config[random.pick(["AUTHS", "Auths"])] = random.pick([null, { "r.a.io": { username: "late" } }]);
  if (random.chance(0.05)) config["HttpHeaders"] = random.prefer([{ a: "b" }, {}, null, { a: null }, { a: 1 }, "x"]);
  if (random.chance(0.05)) config["psFormat"] = random.prefer(["x", null, 3]);
  if (random.chance(0.03))
    config["proxies"] = random.prefer([{ default: { httpProxy: "x" } }, {}, { a: null }, { a: 1 }]);
  if (random.chance(0.03)) config["plugins"] = random.prefer([{ a: { b: "c" } }, {}, { a: null }, { a: { b: 1 } }]);
  if (random.chance(0.02)) config["pruneFilters"] = random.prefer([["x"], [], null, [1], "x"]);
  return JSON.stringify(config) + (random.chance(0.02) ? random.pick([" ", "x", "}", "{}", "\n"]) : "");
}

/** Secrets of a pod and an image that it runs. */
export function makeKeyringCase(random: RandomSource): KeyringCase {
  const keys: string[] = [];
  const secrets = Array.from({ length: 1 + random.below(3) }, () => {
    const auths = makeAuths(random);
    keys.push(...Object.keys(auths));
    const legacy = random.chance(0.2);
    const text = legacy ? JSON.stringify(auths) : makeConfig(random, auths);
    const type = random.chance(0.03) ? "Opaque" : `kubernetes.io/${legacy ? "dockercfg" : "dockerconfigjson"}`;
    return {
      type,
      data: { [random.chance(0.03) ? "config.json" : legacy ? ".dockercfg" : ".dockerconfigjson"]: text },
    };
  });
  return { secrets, image: makeImage(random, keys) };
}

/** A configuration of Docker and a host that somebody logs in at. */
export function makeDockerLookupCase(random: RandomSource): DockerLookupCase {
  const host = random.prefer(names.filter((name) => name !== "")) + random.prefer(ports);
  const config: Record<string, unknown> = JSON.parse(JSON.stringify(makeAuths(random, host))) as Record<
    string,
    unknown
  >;
  let text = makeConfig(random, config);
  const helpers: Record<string, unknown> = {};
  if (random.chance(0.2)) helpers["credsStore"] = random.prefer(["desktop", "", "ecr-login", null, 3]);
  if (random.chance(0.2)) {
    const key = random.prefer([host, "https://index.docker.io/v1/", `https://${host}`, "r.a.io"]);
    helpers["credHelpers"] = { [key]: random.prefer(["gcr", "", "ecr-login", null]) };
  }
  if (Object.keys(helpers).length > 0 && text.startsWith("{") && text.length > 2)
    text = `${JSON.stringify(helpers).slice(0, -1)},${text.slice(1)}`;
  return { config: text, authVariable: random.chance(0.15) ? makeVariable(random, host) : "", host };
}

function makeVariable(random: RandomSource, host: string): string {
  const key = random.prefer([host, "https://index.docker.io/v1/", `https://${host}`]);
  const entry: Record<string, unknown> = { auth: makeAuth(random) };
  if (random.chance(0.1)) entry["username"] = "x";
  const text = JSON.stringify({ auths: { [key]: random.chance(0.95) ? entry : {} } });
  return random.prefer([
    text,
    text,
    `${text} `,
    `${text}}`,
    `${text}{}`,
    text.replace("auth", "AUTH"),
    "{",
    "[]",
    "null",
    " ",
  ]);
}
