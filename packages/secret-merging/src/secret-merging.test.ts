import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";

import { BuilderError } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, SecretData } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { askCredentialHelper } from "./credential-helper.ts";
import { createKeychain, dockerConfig, inspectKeychain, pullSecret, staticCredentials } from "./index.ts";
import { ask, base64, basic } from "./testing/keychain-questions.ts";

// Helpers are processes, and a busy machine starts them late.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "slipway-docker-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function writeConfig(config: unknown): string {
  const path = join(folder, "config.json");
  writeFileSync(path, typeof config === "string" ? config : JSON.stringify(config));
  return path;
}

/** User names, or kinds of token, in order. */
async function users(keychain: Keychain, name: string, call?: Partial<KeychainCall>): Promise<string[]> {
  const credentials = await ask(keychain, name, call);
  return credentials.map((credential) =>
    credential.type === "basic"
      ? credential.username
      : `${credential.type} ${credential.type === "helper" ? credential.helper : credential.token}`,
  );
}

async function issue(promise: Promise<unknown>): Promise<{ path: string; message: string }> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS")
    throw new Error(`unexpected ${inspect(error)}`);
  expect(inspect(error)).not.toMatch(/hunter2/);
  return error.details.issues[0] ?? { path: "", message: "" };
}

describe("dockerConfig", () => {
  test.each([
    ["https://index.docker.io/v1/", "docker.io/library/busybox"],
    ["docker.io", "registry-1.docker.io/library/busybox"],
    ["registry-1.docker.io", "index.docker.io"],
    ["https://REGISTRY.example.com/v2/", "registry.example.com/a"],
    ["registry.example.com:443", "registry.example.com/a"],
    ["registry.example.com:5000", "registry.example.com:5000/a"],
    ["http://registry.example.com", "registry.example.com/a"],
    ["*.example.com", "registry.example.com/a"],
    ["registry.example.com/team", "registry.example.com/team/app"],
    ["registry.example.com/team", "registry.example.com"],
    ["[fd00::1]:5000", "[fd00::1]:5000/a"],
  ])("finds the entry %s for %s", async (key, name) => {
    expect(
      await users(dockerConfig({ path: writeConfig({ auths: { [key]: basic("ann", "hunter2") } }) }), name),
    ).toEqual(["ann"]);
  });

  test.each([
    ["registry.example.com", "registry.example.com:5000/a"],
    ["registry.example.com/team", "registry.example.com/teams/app"],
    ["*.example.com", "a.b.example.com/x"],
    ["*.example.com", "example.com/x"],
  ])("does not find the entry %s for %s", async (key, name) => {
    expect(
      await users(dockerConfig({ path: writeConfig({ auths: { [key]: basic("ann", "hunter2") } }) }), name),
    ).toEqual([]);
  });

  test("orders candidates by how closely they fit", async () => {
    const auths = {
      "*.example.com": basic("wildcard", "x"),
      "r.example.com": basic("host", "x"),
      "r.example.com/a": basic("path", "x"),
      "r.example.com/a/b": basic("deep", "x"),
    };
    const keychain = dockerConfig({ path: writeConfig({ auths }) });
    expect(await users(keychain, "r.example.com/a/b/c")).toEqual(["deep", "path", "host", "wildcard"]);
    expect(await users(keychain, "r.example.com/z")).toEqual(["host", "wildcard"]);
    expect(await users(keychain, "r.example.com")).toEqual(["host", "path", "deep", "wildcard"]);
  });

  test("decodes every kind of entry", async () => {
    const auths = {
      "a.io": { username: "ann", password: "hunter2" },
      "b.io": { auth: base64("bob:with:colon\0").replace(/=+$/, "") },
      "c.io": { auth: base64("x:y"), identitytoken: "id" },
      "d.io": { registrytoken: "reg" },
      "e.io": {},
    };
    const keychain = dockerConfig({ path: writeConfig({ auths }) });
    expect(await ask(keychain, "b.io")).toMatchObject([{ type: "basic", username: "bob", password: "with:colon" }]);
    expect(await users(keychain, "a.io")).toEqual(["ann"]);
    expect(await users(keychain, "c.io")).toEqual(["identity-token id"]);
    expect(await users(keychain, "d.io")).toEqual(["registry-token reg"]);
    expect(await users(keychain, "e.io")).toEqual([]);
  });

  test("tells of an entry that a store has left behind, and fails for none", async () => {
    const keychain = dockerConfig({ path: writeConfig({ auths: { "e.io": {} } }) });
    const warnings: string[] = [];
    expect(await users(keychain, "e.io", { warn: (message) => warnings.push(message) })).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^The entry for e\.io in docker config .* has no "auth"/)]);
  });

  test("takes the folder in DOCKER_CONFIG, and is empty without a file", async () => {
    vi.stubEnv("DOCKER_CONFIG", folder);
    expect(await ask(dockerConfig(), "a.io")).toEqual([]);
    writeConfig({ auths: { "a.io": basic("ann", "hunter2") } });
    expect(await ask(dockerConfig(), "a.io")).toMatchObject([{ source: `docker config ${folder}/config.json` }]);
  });

  test("a broken entry harms no other registry", async () => {
    const path = writeConfig({ auths: { "bad.io": { auth: base64("hunter2") }, "good.io": basic("ann", "x") } });
    expect(await users(dockerConfig({ path }), "good.io")).toEqual(["ann"]);
    expect((await issue(ask(dockerConfig({ path }), "bad.io"))).message).toMatch(/entry for bad\.io .* base64/);
  });

  test("names a file that is missing or broken, and none of its content", async () => {
    const missing = join(folder, "nowhere.json");
    expect((await issue(ask(dockerConfig({ path: missing }), "a.io"))).message).toContain(missing);
    expect((await issue(ask(dockerConfig({ path: writeConfig('{"auths": hunter2') }), "a.io"))).message).toMatch(
      /is not JSON/,
    );
    const wrong = writeConfig({ auths: { "a.io": { auth: 7, password: "hunter2" } } });
    expect((await issue(ask(dockerConfig({ path: wrong }), "a.io"))).message).toMatch(/see auths\.a\.io\.auth/);
  });

  test("a file that cannot be read is a warning where there is somebody to hear it, and other keychains serve", async () => {
    const keychain = createKeychain(
      dockerConfig({ path: folder }),
      staticCredentials({ registry: "a.io", username: "ann", password: "hunter2" }),
    );
    const warnings: string[] = [];
    expect(await users(keychain, "a.io/x", { warn: (message) => warnings.push(message) })).toEqual(["ann"]);
    expect(warnings).toEqual([`Cannot read docker config ${folder} (EISDIR). Run docker login, or name another file`]);
    expect((await issue(ask(keychain, "a.io/x"))).message).toMatch(/EISDIR/);
    const { problems } = await inspectKeychain(keychain, { signal: AbortSignal.timeout(60_000) });
    expect(problems).toMatchObject([{ source: `docker config ${folder}` }]);
  });

  test("refuses options that it does not know", () => {
    expect(() => dockerConfig({ pth: "x" } as object)).toThrow(/did you mean "path"/);
  });
});

describe("the variable DOCKER_AUTH_CONFIG", () => {
  const variable = (content: unknown): void => void vi.stubEnv("DOCKER_AUTH_CONFIG", JSON.stringify(content));

  test("comes before the file", async () => {
    variable({ auths: { "a.io": basic("from-variable", "x") } });
    const path = writeConfig({ auths: { "a.io": basic("from-file", "x"), "b.io": basic("bob", "x") } });
    expect(await users(dockerConfig({ path }), "a.io/x")).toEqual(["from-variable", "from-file"]);
    expect(await users(dockerConfig({ path }), "b.io/x")).toEqual(["bob"]);
  });

  test("with anything else in it is named and passed over, as Docker does it", async () => {
    variable({ auths: { "a.io": { ...basic("ann", "hunter2"), identitytoken: "x" } } });
    const path = writeConfig({ auths: { "a.io": basic("from-file", "x") } });
    const warnings: string[] = [];
    expect(await users(dockerConfig({ path }), "a.io/x", { warn: (message) => warnings.push(message) })).toEqual([
      "from-file",
    ]);
    expect(warnings).toEqual([
      "The variable DOCKER_AUTH_CONFIG cannot be read: auths.a.io has more than auth. Docker ignores it too",
    ]);
  });
});

describe("credential helpers", () => {
  function installHelper(name: string, script: string): void {
    const path = join(folder, "bin", `docker-credential-${name}`);
    mkdirSync(join(folder, "bin"), { recursive: true });
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    vi.stubEnv("PATH", `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`);
  }

  test("answer before the entries of the file, with the server's name on stdin", async () => {
    installHelper(
      "echo",
      'read -r server; printf \'{"ServerURL":"x","Username":"for %s %s","Secret":"hunter2"}\' "$1" "$server"',
    );
    const path = writeConfig({ credsStore: "echo", auths: { "a.io": basic("ann", "x"), "docker.io": {} } });
    expect(await users(dockerConfig({ path }), "a.io/b")).toEqual(["for get a.io", "ann"]);
    expect(await users(dockerConfig({ path }), "docker.io/b")).toEqual(["for get https://index.docker.io/v1/"]);
  });

  test("of one registry hide the common one; <token> is an identity token", async () => {
    installHelper("own", 'printf \'{"Username":"<token>","Secret":"t"}\'');
    const path = writeConfig({ credsStore: "none", credHelpers: { "a.io": "own", "b.io": "" } });
    expect(await ask(dockerConfig({ path }), "a.io")).toEqual([
      { source: `docker config ${path}, docker-credential-own`, type: "identity-token", token: "t" },
    ]);
    expect(await ask(dockerConfig({ path }), "b.io")).toEqual([]);
  });

  test("without credentials leave the word to the file", async () => {
    installHelper("empty", "echo credentials not found in native keychain; exit 1");
    const path = writeConfig({ credsStore: "empty", auths: { "a.io": basic("ann", "x") } });
    expect(await users(dockerConfig({ path }), "a.io")).toEqual(["ann"]);
  });

  test.each([
    ["missing", undefined, /docker-credential-missing is not installed/],
    ["broken", "echo no keyring; exit 3", /status 3 for a\.io: no keyring/],
    ["slow", "exec sleep 60", /did not answer within 300 ms/],
    ["silent", "true", /something else than credentials/],
    ["../evil", undefined, /is not the name/],
  ])("that are %s are an error", async (name, script, message) => {
    if (script !== undefined) installHelper(name, script);
    const keychain = dockerConfig({
      path: writeConfig({ credsStore: name }),
      helperTimeoutMs: name === "slow" ? 300 : 30_000,
    });
    expect((await issue(ask(keychain, "a.io"))).message).toMatch(message);
  });

  test("end when the call is aborted", async () => {
    installHelper("slow", "exec sleep 60");
    const keychain = dockerConfig({ path: writeConfig({ credsStore: "slow" }) });
    const asked = ask(keychain, "a.io", { signal: AbortSignal.timeout(100) });
    await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
  });

  describe("that leave a process behind, which holds their output,", () => {
    const script = `printf '{"Username":"ann","Secret":"hunter2"}'; sleep 5 &`;
    const question = { helper: "leaving", serverUrl: "a.io", source: "x", timeoutMs: 30_000 };

    test("are not waited for beyond their time", async () => {
      installHelper("leaving", script);
      const keychain = dockerConfig({ path: writeConfig({ credsStore: "leaving" }), helperTimeoutMs: 1_000 });
      expect((await issue(ask(keychain, "a.io"))).message).toMatch(/leaving did not answer within 1000 ms/);
    });

    test("are not waited for once the call is aborted", async () => {
      installHelper("leaving", script);
      const asked = askCredentialHelper({ ...question, signal: AbortSignal.timeout(1_000) });
      await expect(asked).rejects.toMatchObject({ code: "ABORTED" });
    });
  });

  test("that ignore their end keep no process alive that has given them up", () => {
    installHelper("stubborn", 'trap "" TERM; exec sleep 30');
    const script = `import { askCredentialHelper } from "./credential-helper.ts";
      const { signal } = new AbortController();
      await askCredentialHelper({ helper: "stubborn", serverUrl: "a.io", source: "x", timeoutMs: 1_000, signal })
        .catch((error) => console.log(error.message));`;
    const argv = ["--conditions=@slipway/source", "--input-type=module", "-e", script];
    const options = { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe", timeout: 20_000 } as const;
    expect(execFileSync(process.execPath, argv, options)).toMatch(/did not answer within 1000 ms/);
  });
});

describe("pullSecret", () => {
  const auths = { "a.io": basic("ann", "hunter2") };

  function secret(type: string, key: string, content: unknown): SecretData {
    return { namespace: "builds", name: "regcred", type, data: { [key]: Buffer.from(JSON.stringify(content)) } };
  }
  const serving = (data: SecretData | undefined): Partial<KeychainCall> => ({
    readSecret: () => Promise.resolve(data),
  });

  test.each([
    secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", { auths }),
    secret("kubernetes.io/dockercfg", ".dockercfg", auths),
    secret("Opaque", "config.json", { auths }),
  ])("reads a Secret of type $type and names it", async (data) => {
    expect(await ask(pullSecret({ name: "regcred" }), "a.io/x", serving(data))).toEqual([
      { source: "secret builds/regcred", type: "basic", username: "ann", password: "hunter2" },
    ]);
  });

  test("asks for the Secret anew each time, in the namespace given", async () => {
    const readSecret = vi.fn(() => Promise.resolve(secret("Opaque", "config.json", { auths })));
    const keychain = pullSecret({ name: "regcred", namespace: "team" });
    await ask(keychain, "a.io", { readSecret });
    await ask(keychain, "a.io", { readSecret });
    expect(readSecret.mock.calls).toEqual([
      [{ name: "regcred", namespace: "team" }],
      [{ name: "regcred", namespace: "team" }],
    ]);
  });

  test("says how to create a Secret that is missing", async () => {
    const { path, message } = await issue(
      ask(pullSecret({ name: "regcred", namespace: "team" }), "a.io", serving(undefined)),
    );
    expect(path).toBe("secret team/regcred");
    expect(message).toMatch(
      /secret team\/regcred does not exist.*kubectl create secret docker-registry regcred --namespace team/,
    );
  });

  test("refuses a Secret of another kind, and a builder without a cluster", async () => {
    const other = serving(secret("kubernetes.io/tls", "tls.key", "hunter2"));
    expect((await issue(ask(pullSecret({ name: "regcred" }), "a.io", other))).message).toMatch(
      /kubernetes\.io\/tls has none of the keys/,
    );
    expect((await issue(ask(pullSecret({ name: "regcred" }), "a.io"))).message).toMatch(/no cluster/);
    expect(() => pullSecret({ name: "Not A Name" })).toThrow(/no name of a Kubernetes object/);
  });
});

describe("createKeychain", () => {
  const holding = (...credentials: Credential[]): Keychain => ({ resolve: () => Promise.resolve(credentials) });

  test("keeps the order of its sources, and each credential once", async () => {
    const ann = { type: "basic", username: "ann", password: "x" } as const;
    const bob = { type: "basic", username: "bob", password: "x" } as const;
    const token = { type: "identity-token", token: "t" } as const;
    const keychain = createKeychain(
      holding({ source: "one", ...ann }, { source: "one", ...token }),
      holding(
        { source: "two", ...bob },
        { source: "two", ...ann },
        { source: "two", type: "registry-token", token: "t" },
      ),
    );
    expect((await ask(keychain, "a.io")).map(({ source, type }) => `${source} ${type}`)).toEqual([
      "one basic",
      "one identity-token",
      "two basic",
      "two registry-token",
    ]);
  });
});
