import type { Credential, Keychain } from "@slipway/core";
import { describe, expect, test } from "vitest";

import {
  createKeychain,
  imagePullSecretData,
  kanikoDockerConfig,
  kubeletLookup,
  pullSecret,
  registryAuthHeader,
  sessionCredential,
  staticCredentials,
} from "../index.ts";
import type { ImagePullSecret } from "../index.ts";
import { base64, secret, serving } from "../testing/keychain-questions.ts";

const call = { signal: AbortSignal.timeout(60_000) };
const given = (registry: string, username: string): Keychain =>
  staticCredentials({ registry, username, password: "hunter2" });
const auth = (username: string): object => ({ auth: base64(`${username}:hunter2`) });

const loginOf = ({ key, auths }: ImagePullSecret): string =>
  `${key} ${Buffer.from(auths[key]?.auth ?? "", "base64")
    .toString()
    .replace(":hunter2", "")}`;

describe("kanikoDockerConfig", () => {
  test("has exactly the hosts and repositories of the build", async () => {
    const keychain = createKeychain(
      given("r.io/team", "team"),
      given("r.io", "host"),
      given("docker.io", "hub"),
      given("unused.io", "unused"),
    );
    const references = ["r.io/team/app:v1", "r.io/base@sha256:abc", "docker.io/library/node:24", "anonymous.io/a"];
    const { config, warnings } = await kanikoDockerConfig({ keychain, references, actions: ["pull"] }, call);
    expect(config).toEqual({
      auths: {
        "r.io/team/app": auth("team"),
        "r.io/base": auth("host"),
        "r.io": auth("host"),
        "index.docker.io/library/node": auth("hub"),
        "https://index.docker.io/v1/": auth("hub"),
      },
    });
    expect(warnings).toEqual([
      "For r.io/team/app kaniko tries credentials given for r.io/team only, and not credentials given for r.io.",
    ]);
  });

  test("writes what a registry has accepted, for its repository and for the host, and warns of no other", async () => {
    const helper: Credential = { source: "h", type: "helper", helper: "ecr-login", serverUrl: "r.io" };
    const stale: Credential = { source: "s", type: "basic", username: "stale", password: "hunter2" };
    const good: Credential = { source: "g", type: "basic", username: "good", password: "hunter2" };
    const keychain: Keychain = {
      resolve: ({ registry }) => Promise.resolve(registry === "r.io" ? [stale, good] : [helper, good]),
    };
    const references = ["r.io/app:v1", "r.io/base", "h.io/app"];
    const accepted = (reference: string) => (reference === "r.io/base" ? undefined : good);
    const { config, warnings } = await kanikoDockerConfig({ keychain, references, actions: ["push"], accepted }, call);
    expect(config).toEqual({
      auths: {
        ...{ "r.io/app": auth("good"), "r.io/base": auth("stale"), "r.io": auth("good") },
        ...{ "h.io/app": auth("good"), "h.io": auth("good") },
      },
    });
    expect(warnings).toEqual(["For r.io/base kaniko tries s only, and not g."]);
  });

  test("gives a repository without credentials none that are for others of its host", async () => {
    const references = ["r.io/team/app", "r.io/public/base"];
    const { config } = await kanikoDockerConfig(
      { keychain: given("r.io/team", "team"), references, actions: ["pull"] },
      call,
    );
    expect(config).toEqual({ auths: { "r.io/team/app": auth("team") } });
  });

  test("gives a repository that anybody may read nothing that its registry has refused", async () => {
    const references = ["r.io/app", "r.io/public/base", "o.io/public/base"];
    const accepted = (reference: string) => (reference.includes("/public/") ? "anonymous" : undefined);
    const keychain = createKeychain(given("r.io", "stale"), given("o.io", "stale"));
    const { config } = await kanikoDockerConfig({ keychain, references, actions: ["pull"], accepted }, call);
    expect(config).toEqual({ auths: { "r.io/app": auth("stale") } });
  });

  test("turns a credsStore into helpers for the hosts of the build", async () => {
    const keychain = createKeychain(given("r.io", "host"), pullSecret({ name: "ecr" }));
    const references = ["1234.dkr.ecr.eu-west-1.amazonaws.com/app:v1", "r.io/base"];
    const { config } = await kanikoDockerConfig(
      { keychain, references, actions: ["push"] },
      { ...call, ...serving(secret("ecr", { credsStore: "ecr-login" }, "Opaque")) },
    );
    expect(config).toEqual({
      auths: { "r.io/base": auth("host"), "r.io": auth("host") },
      credHelpers: { "1234.dkr.ecr.eu-west-1.amazonaws.com": "ecr-login" },
    });
  });

  test("calls a registry as the build does", async () => {
    const references = ["r.io:443/app", "r.io/app", "registry-1.docker.io/library/node"];
    const keychain = createKeychain(given("https://r.io", "host"), given("docker.io", "hub"));
    const { config } = await kanikoDockerConfig({ keychain, references, actions: ["push"] }, call);
    expect(config).toEqual({
      auths: {
        "r.io:443/app": auth("host"),
        "r.io:443": auth("host"),
        "r.io/app": auth("host"),
        "r.io": auth("host"),
        "registry-1.docker.io/library/node": auth("hub"),
        "registry-1.docker.io": auth("hub"),
      },
    });
  });

  test("writes tokens as tokens", async () => {
    const keychain = staticCredentials([
      { registry: "a.io", identityToken: "refresh" },
      { registry: "b.io", registryToken: "bearer" },
    ]);
    const { config } = await kanikoDockerConfig(
      { keychain, references: ["a.io/a", "b.io/b"], actions: ["pull"] },
      call,
    );
    expect(config.auths).toMatchObject({ "a.io": { identitytoken: "refresh" }, "b.io/b": { registrytoken: "bearer" } });
  });
});

describe("imagePullSecretData", () => {
  test("lets the kubelet find every credential, in the order of the keychain", async () => {
    const keychain = createKeychain(given("r.io", "first"), given("r.io", "second"), given("r.io/team", "team"));
    const { secrets, warnings } = await imagePullSecretData({ keychain, images: ["r.io/team/app:v1"] }, call);
    expect(warnings).toEqual([]);
    const data = secrets.map(({ auths }, index) => secret(`s${index}`, { auths }));
    expect(kubeletLookup(data, "r.io/team/app").credentials.map(({ username }) => username)).toEqual([
      "team",
      "first",
      "second",
    ]);
  });

  test.each([
    ["r.io/team/app", ["r.io/team robot", "r.io robot", "r.io second"]],
    ["r.io/other/x", ["r.io robot", "r.io second"]],
    ["r.io", ["r.io robot", "r.io second"]],
  ])("for %s writes all that is under a key, also what it does without itself", async (image, expected) => {
    for (const whole of ["r.io", "*.io"]) {
      const keychain = createKeychain(given("r.io/team", "robot"), given(whole, "robot"), given(whole, "second"));
      const { secrets } = await imagePullSecretData({ keychain, images: [image] }, call);
      expect(secrets.map(loginOf)).toEqual(expected);
    }
  });

  test("writes what somebody else's keychain has for a repository only, last", async () => {
    const login = (username: string): Credential => ({ source: "s", type: "basic", username, password: "hunter2" });
    const asked: string[] = [];
    const keychain: Keychain = {
      resolve: ({ repository = "" }) => {
        asked.push(repository);
        return Promise.resolve(repository === "" ? [login("whole")] : [login(repository), login("whole")]);
      },
    };
    const { secrets } = await imagePullSecretData({ keychain, images: ["r.io/a", "r.io/b"] }, call);
    expect(secrets.map(loginOf)).toEqual(["r.io whole", "r.io a", "r.io b"]);
    expect(secrets.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(asked).toEqual(["a", "b", ""]);
  });

  test("says once what is wrong for an image, and nothing of what is wrong elsewhere", async () => {
    const broken = { "r.io/broken": { auth: "?" }, "r.io/team": { auth: "!" }, "r.io": auth("ann") };
    const served = serving(secret("regcred", { auths: broken }));
    const keychain = createKeychain(pullSecret({ name: "regcred" }), given("r.io", "bob"));
    const { secrets } = await imagePullSecretData({ keychain, images: ["r.io/team/app"] }, { ...call, ...served });
    expect(secrets.map(loginOf)).toEqual(["r.io ann", "r.io bob"]);
    expect(served.warnings).toEqual([
      expect.stringMatching(/entry for r\.io\/team in/),
      expect.stringMatching(/^For r\.io there are different credentials/),
    ]);
    // Without somebody to warn, only what an image needs has to be in order.
    const { warn: _, ...silent } = serving(
      secret("regcred", { auths: { "r.io/broken": { auth: "?" }, "r.io": auth("ann") } }),
    );
    const quiet = imagePullSecretData({ keychain, images: ["r.io/app"] }, { ...call, ...silent });
    expect((await quiet).secrets.map(loginOf)).toEqual(["r.io ann", "r.io bob"]);
  });

  test("files the credentials of a registry under the names that nodes use", async () => {
    const keychain = given("registry.builds.svc:5000", "ann");
    const aliases = { "127.0.0.1:30500": "registry.builds.svc:5000" };
    for (const image of ["127.0.0.1:30500/app:v1", "registry.builds.svc:5000/app", "registry.builds.svc:5000"]) {
      const { secrets } = await imagePullSecretData({ keychain, images: [image], aliases }, call);
      const keys = secrets.map(({ key }) => key);
      expect(keys).toContain("127.0.0.1:30500");
      const data = secrets.map(({ auths }, index) => secret(`s${index}`, { auths }));
      expect(kubeletLookup(data, "127.0.0.1:30500/app").credentials).toHaveLength(1);
    }
  });

  test.each([
    ["r.io:443/team/app:v1", "r.io:443"],
    ["r.io:443", "r.io:443"],
    ["r.io/app", "r.io"],
    ["R.io/app", "R.io"],
    ["registry-1.docker.io/library/node", "registry-1.docker.io"],
    ["index.docker.io", "docker.io"],
  ])("files the credentials for %s under %s, where the kubelet looks", async (image, key) => {
    const keychain = createKeychain(given("r.io", "ann"), given("docker.io", "ann"));
    const { secrets, warnings } = await imagePullSecretData({ keychain, images: [image] }, call);
    expect(warnings).toEqual([]);
    const data = secrets.map(({ auths }, index) => secret(`s${index}`, { auths }));
    const pulled = image.includes("/") ? image.replace(/:v1$/, "") : `${key}/any`;
    expect(kubeletLookup(data, pulled).credentials).toMatchObject([{ key, username: "ann" }]);
  });

  test("an alias with the port of HTTPS is a name of its own, too", async () => {
    const aliases = { "nodes.io:443": "registry.builds.svc:5000" };
    for (const image of ["nodes.io/app", "nodes.io:443/app"]) {
      const { secrets } = await imagePullSecretData(
        { keychain: given("registry.builds.svc:5000", "ann"), images: [image], aliases },
        call,
      );
      expect(new Set(secrets.map(({ key }) => key))).toEqual(new Set(["nodes.io:443", image.split("/")[0]]));
    }
  });

  test.each([
    ["team/app:v1", "docker.io"],
    ["index.docker.io/busybox", "docker.io"],
    ["localhost/app", "localhost"],
  ])("files the credentials for %s under %s", async (image, key) => {
    const keychain = createKeychain(given("docker.io", "hub"), given("localhost", "local"), given("team", "wrong"));
    const { secrets } = await imagePullSecretData({ keychain, images: [image] }, call);
    expect(secrets.map(({ auths }) => Object.keys(auths))).toEqual([[key]]);
  });

  test("says what nodes cannot use, and what ends", async () => {
    const foreign = (...credentials: Credential[]): Keychain => ({ resolve: () => Promise.resolve(credentials) });
    const keychain = foreign(
      { source: "one", type: "helper", helper: "ecr-login", serverUrl: "r.io" },
      { source: "two", type: "identity-token", token: "hunter2" },
      { source: "three", type: "basic", username: "a", password: "b", expiresAtMs: Date.UTC(2030, 0) },
    );
    const { warnings } = await imagePullSecretData({ keychain, images: ["r.io/a", "[::1]/a"] }, call);
    expect(warnings.filter((warning) => warning.includes("r.io"))).toEqual([
      "Nodes cannot pull from r.io with one: they do not run docker-credential-ecr-login.",
      "Nodes cannot pull from r.io with two: they know no identity tokens.",
      "What three gives nodes for r.io ends at 2030-01-01T00:00:00.000Z. Each build and publish renews it; pods that start later need it anew.",
    ]);
    expect(warnings).toContain("The kubelet does not find credentials for [::1]: it cannot read such a name.");
  });
});

test.each([
  [
    { type: "basic", username: "ann", password: "hunter2" },
    { username: "ann", secret: "hunter2" },
  ],
  [
    { type: "identity-token", token: "refresh" },
    { username: "", secret: "refresh" },
  ],
  [{ type: "registry-token", token: "bearer" }, undefined],
  [{ type: "helper", helper: "gcr", serverUrl: "gcr.io" }, undefined],
] as const)("BuildKit's session gets %j as %j", (credential, expected) => {
  expect(sessionCredential({ source: "s", ...credential })).toEqual(expected);
});

test.each([
  [
    { type: "basic", username: "ann", password: "h>?unter2" },
    "docker.io",
    { username: "ann", password: "h>?unter2", serveraddress: "https://index.docker.io/v1/" },
  ],
  [{ type: "identity-token", token: "t" }, "r.io", { identitytoken: "t", serveraddress: "r.io" }],
  [{ type: "registry-token", token: "t" }, "r.io", { registrytoken: "t", serveraddress: "r.io" }],
] as const)("the daemon gets %j for %s", (credential, registry, expected) => {
  const header = registryAuthHeader({ source: "s", ...credential }, registry) ?? "";
  expect(header).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
  expect(header.length % 4).toBe(0);
  expect(JSON.parse(Buffer.from(header, "base64url").toString())).toEqual(expected);
});

test("a helper makes no header", () => {
  expect(registryAuthHeader({ source: "s", type: "helper", helper: "x", serverUrl: "r.io" }, "r.io")).toBeUndefined();
});
