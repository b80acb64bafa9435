import { execFileSync } from "node:child_process";

import type { Credential, Keychain } from "@slipway/core";
import { describe, expect, test, vi } from "vitest";

import { acrCredentials, ecrCredentials, garCredentials } from "../index.ts";
import { ask, base64, problemOf, serving } from "../testing/keychain-questions.ts";
import { createAcrCredentials } from "./acr-credentials.ts";
import { cloudKeychain } from "./cloud-keychain.ts";
import type { CloudProvider } from "./cloud-keychain.ts";
import { createEcrCredentials } from "./ecr-credentials.ts";
import { createGarCredentials } from "./gar-credentials.ts";
import type { LoadModule } from "./optional-module.ts";

const inAnHour = Date.now() + 3_600_000;
const ecrHost = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/** As Node fails to import what is not installed. */
const nothingInstalled: LoadModule = (name) =>
  Promise.reject(
    Object.assign(new Error(`Cannot find package '${name}' imported from x`), { code: "ERR_MODULE_NOT_FOUND" }),
  );

test.each([
  [createEcrCredentials({}, nothingInstalled), `${ecrHost}/a`, "Amazon ECR", "@aws-sdk/client-ecr"],
  [createGarCredentials(nothingInstalled), "europe-docker.pkg.dev/p/a", "Google Cloud", "google-auth-library"],
  [createAcrCredentials(nothingInstalled, fetch), "team.azurecr.io/a", "Azure Container Registry", "@azure/identity"],
] as const)("a package that is not installed is named (%#)", async (keychain, name, cloud, wanted) => {
  const message = `The credentials of ${cloud} need the package ${wanted}. Install it: npm install ${wanted}`;
  expect(await problemOf(ask(keychain, name))).toBe(message);
  const call = serving();
  expect(await ask(keychain, name, call)).toEqual([]);
  expect(call.warnings).toEqual([message]);
});

test("bundlers and other runtimes say it in words of their own", async () => {
  const load: LoadModule = (name) => Promise.reject(new Error(`Cannot find package "${name}" from "/app/index.ts"`));
  expect(await problemOf(ask(createGarCredentials(load), "gcr.io/a"))).toMatch(/npm install google-auth-library$/);
  const lacking: LoadModule = (name) =>
    Promise.reject(new Error(`Cannot find package "gaxios" from "/app/node_modules/${name}/index.js"`));
  expect(await problemOf(ask(createGarCredentials(lacking), "gcr.io/a"))).toMatch(/cannot be loaded: .*gaxios/);
});

test("Node itself says it in these words", () => {
  const script = `import { importModule, loadOptional } from "./optional-module.ts";
    await loadOptional("google-auth-library", "Google Cloud", importModule).catch((error) => console.log(error.message));`;
  const argv = ["--conditions=@slipway/source", "--input-type=module", "-e", script];
  const output = execFileSync(process.execPath, argv, { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe" });
  expect(output).toContain("npm install google-auth-library");
});

test.each([
  [
    ecrCredentials(),
    ["public.ecr.aws/a", "dkr.ecr.eu-west-1.amazonaws.com/a", "123456789012.dkr.ecr.x.amazonaws.com.evil.io/a"],
  ],
  [garCredentials(), ["docker.io/a", "evilgcr.io/a", "pkg.dev.evil.io/a"]],
  [acrCredentials(), ["azurecr.io/a", "team.azurecr.io.evil.io/a"]],
] as const)("a cloud is asked about its own registries only (%#)", async (keychain: Keychain, names) => {
  for (const name of names) expect(await ask(keychain, name)).toEqual([]);
});

describe("a cloud that does not answer", () => {
  const expected =
    "Google Cloud gave no credentials: it did not answer for gcr.io within 0.02 s. Log in there, or check its settings";
  function cloud(ask: CloudProvider["ask"]): Keychain {
    return cloudKeychain({ source: "Google Cloud", hosts: /^gcr\.io$/, examples: [], ask }, 20);
  }

  test.each<[string, CloudProvider["ask"]]>([
    ["is told when its time is over", (_, signal) => rejectedBy(signal)],
    ["is not waited for, though it is deaf to that", () => Promise.withResolvers<never>().promise],
  ])("%s", async (_, answer) => {
    expect(await problemOf(ask(cloud(answer), "gcr.io/a"))).toBe(expected);
    const call = serving();
    expect(await ask(cloud(answer), "gcr.io/a", call)).toEqual([]);
    expect(call.warnings).toEqual([expected]);
  });

  test("is asked anew the next time", async () => {
    const credential: Credential = { source: "Google Cloud", type: "basic", username: "a", password: "b" };
    const answers = [Promise.withResolvers<never>().promise, Promise.resolve(credential)];
    const keychain = cloud(() => answers.shift() ?? Promise.reject(new Error("asked a third time")));
    await problemOf(ask(keychain, "gcr.io/a"));
    expect(await ask(keychain, "gcr.io/a")).toEqual([credential]);
  });

  test("holds up nobody who comes after its asker has left", async () => {
    const tokens = [Promise.withResolvers<never>().promise, Promise.resolve({ token: "ya29" })];
    const GoogleAuth = class {
      getClient(): Promise<object> {
        return Promise.resolve({ getAccessToken: () => tokens.shift(), credentials: {} });
      }
    };
    const keychain = createGarCredentials(() => Promise.resolve({ GoogleAuth }));
    const left = ask(keychain, "gcr.io/a", { signal: AbortSignal.timeout(20) });
    await expect(left).rejects.toThrow("timeout");
    expect(await ask(keychain, "gcr.io/a")).toMatchObject([{ password: "ya29" }]);
  });
});

/** As libraries end that take a signal. */
function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(Object.assign(new Error("Request aborted"), { name: "AbortError" }));
    });
  });
}

describe("Amazon ECR", () => {
  function fakeSdk(answer: object): { load: LoadModule; log: unknown[] } {
    const log: unknown[] = [];
    class ECRClient {
      constructor(options: object) {
        log.push(options);
      }
      send(command: object): Promise<object> {
        log.push(command.constructor.name);
        return Promise.resolve(answer);
      }
    }
    class GetAuthorizationTokenCommand {
      readonly input = {};
    }
    return { log, load: () => Promise.resolve({ ECRClient, GetAuthorizationTokenCommand }) };
  }

  test("gives a login for the region of the registry, asked for once", async () => {
    const authorizationToken = base64("AWS:hunter2");
    const { load, log } = fakeSdk({ authorizationData: [{ authorizationToken, expiresAt: new Date(inAnHour) }] });
    const keychain = createEcrCredentials({ profile: "ci" }, load);
    const expected = {
      source: "Amazon ECR",
      type: "basic",
      username: "AWS",
      password: "hunter2",
      expiresAtMs: inAnHour,
    };
    expect(await ask(keychain, `${ecrHost}/a`)).toEqual([expected]);
    expect(await ask(keychain, `${ecrHost}/b`)).toEqual([expected]);
    expect(log).toEqual([{ region: "eu-west-1", profile: "ci" }, "GetAuthorizationTokenCommand"]);
  });

  test.each([
    ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1"],
    ["123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"],
    ["123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"],
    ["123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"],
  ])("knows %s, in %s", async (host, region) => {
    const { load, log } = fakeSdk({ authorizationData: [{ authorizationToken: base64("AWS:hunter2") }] });
    expect(await ask(createEcrCredentials({}, load), `${host}/a`)).toHaveLength(1);
    expect(log[0]).toEqual({ region });
  });

  test("serves a build that goes on, while another one that has asked is cancelled", async () => {
    const data = { authorizationToken: base64("AWS:hunter2"), expiresAt: new Date(inAnHour) };
    const asked = Promise.withResolvers<undefined>();
    let requests = 0;
    const load: LoadModule = () =>
      Promise.resolve({
        ECRClient: class {
          send(_command: object, { abortSignal }: { abortSignal: AbortSignal }): Promise<object> {
            requests += 1;
            if (requests > 1) return Promise.resolve({ authorizationData: [data] });
            asked.resolve(undefined);
            return rejectedBy(abortSignal);
          }
        },
        GetAuthorizationTokenCommand: Object,
      });
    const keychain = createEcrCredentials({}, load);
    const cancelled = new AbortController();
    const first = ask(keychain, `${ecrHost}/a`, { signal: cancelled.signal });
    await asked.promise;
    const second = ask(keychain, `${ecrHost}/b`);
    cancelled.abort(new Error("cancelled"));
    await expect(first).rejects.toThrow("cancelled");
    expect(await second).toMatchObject([{ username: "AWS", password: "hunter2" }]);
  });

  test("that answers without a token, or not at all, is an error with its words", async () => {
    expect(await problemOf(ask(createEcrCredentials({}, fakeSdk({}).load), `${ecrHost}/a`))).toMatch(/no token/);
    const failing: LoadModule = () =>
      Promise.resolve({
        ECRClient: class {
          send(): Promise<never> {
            return Promise.reject(new Error("ExpiredTokenException"));
          }
        },
        GetAuthorizationTokenCommand: Object,
      });
    expect(await problemOf(ask(createEcrCredentials({}, failing), `${ecrHost}/a`))).toMatch(/ExpiredTokenException/);
  });
});

test("Google gives an access token", async () => {
  const client = { getAccessToken: () => Promise.resolve({ token: "ya29" }), credentials: { expiry_date: inAnHour } };
  const GoogleAuth = class {
    getClient(): Promise<typeof client> {
      return Promise.resolve(client);
    }
  };
  for (const host of ["europe-docker.pkg.dev", "gcr.io", "eu.gcr.io"])
    expect(
      await ask(
        createGarCredentials(() => Promise.resolve({ GoogleAuth })),
        `${host}/a`,
      ),
    ).toEqual([
      { source: "Google Cloud", type: "basic", username: "oauth2accesstoken", password: "ya29", expiresAtMs: inAnHour },
    ]);
});

describe("Azure", () => {
  const DefaultAzureCredential = class {
    getToken(scope: string): Promise<{ token: string }> {
      return Promise.resolve({ token: `entra for ${scope}` });
    }
  };
  const load: LoadModule = () => Promise.resolve({ DefaultAzureCredential });

  test("exchanges a token of Entra ID at the registry", async () => {
    const send = vi.fn<typeof fetch>(() => Promise.resolve(Response.json({ refresh_token: "refresh" })));
    expect(await ask(createAcrCredentials(load, send), "team.azurecr.io/a")).toMatchObject([
      { type: "basic", username: "00000000-0000-0000-0000-000000000000", password: "refresh" },
    ]);
    const [url, request] = send.mock.calls[0] ?? [];
    expect(url).toBe("https://team.azurecr.io/oauth2/exchange");
    expect(Object.fromEntries(request?.body as URLSearchParams)).toEqual({
      grant_type: "access_token",
      service: "team.azurecr.io",
      access_token: "entra for https://containerregistry.azure.net/.default",
    });
  });

  test("is told when whoever asked has left", async () => {
    const told = Promise.withResolvers<undefined>();
    const waiting = class {
      getToken(_scope: string, { abortSignal }: { abortSignal: AbortSignal }): Promise<never> {
        abortSignal.addEventListener("abort", () => {
          told.resolve(undefined);
        });
        return rejectedBy(abortSignal);
      }
    };
    const keychain = createAcrCredentials(() => Promise.resolve({ DefaultAzureCredential: waiting }), fetch);
    const asked = ask(keychain, "team.azurecr.io/a", { signal: AbortSignal.timeout(20) });
    await expect(asked).rejects.toThrow("timeout");
    await told.promise;
  });

  test("that refuses is an error with its status and no token", async () => {
    const send = (): Promise<Response> => Promise.resolve(new Response("", { status: 401 }));
    const message = await problemOf(ask(createAcrCredentials(load, send), "team.azurecr.io/a"));
    expect(message).toMatch(/team\.azurecr\.io answered the exchange with 401/);
    expect(message).not.toMatch(/entra/);
  });
});
