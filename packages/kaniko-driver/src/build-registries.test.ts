import type { Credential } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { BuildRegistries } from "./build-registries.ts";
import { resolveKanikoDriverOptions, type KanikoDriverOptions } from "./kaniko-options.ts";

const helper: Credential = { source: "s", type: "helper", helper: "ecr-login", serverUrl: "r.example.com" };
const login: Credential = { source: "s", type: "basic", username: "ann", password: "p" };

/** Why only the pod of a build may be let into a repository. */
async function reason(options: KanikoDriverOptions, ...candidates: readonly Credential[]): Promise<string | undefined> {
  const { signal } = new AbortController();
  await using registries = new BuildRegistries({
    options: resolveKanikoDriverOptions(options),
    credentials: { resolve: () => Promise.resolve(candidates) },
    keychainCall: { signal },
  });
  return await registries.onlyInPod({ registry: "r.example.com", repository: "app" }, signal);
}

const serviceAccount = "builder";
const secret = { name: "config" };

describe("what only the pod of a build has", () => {
  it.each<[string, KanikoDriverOptions, RegExp]>([
    ["an account", { serviceAccount }, /^service account builder /],
    [
      "an account of the template",
      { podTemplate: { spec: { serviceAccountName: "other" } } },
      /^service account other /,
    ],
    [
      "a mount",
      { additionalMounts: [{ mountPath: "/kaniko/.docker/", secret }] },
      /^the mount at \/kaniko\/\.docker\/ /,
    ],
    [
      "a mounted file",
      { additionalMounts: [{ mountPath: "/kaniko/.docker/config.json", subPath: "config.json", secret }] },
      /^the mount at \/kaniko\/\.docker\/config\.json /,
    ],
    ["a variable", { env: { GOOGLE_APPLICATION_CREDENTIALS: "/gcp/key.json" } }, / GOOGLE_APPLICATION_CREDENTIALS /],
    ["a variable from elsewhere", { envFrom: { AWS_ACCESS_KEY_ID: {} } }, /^environment variable AWS_ACCESS_KEY_ID /],
  ])("is %s, where nobody has credentials", async (_title, options, expected) => {
    expect(await reason(options)).toMatch(expected);
    // Kaniko takes what it is given before it looks at its pod.
    expect(await reason(options, login)).toBeUndefined();
  });

  it("is a helper of the executor's image, before any identity", async () => {
    expect(await reason({ serviceAccount }, helper)).toMatch(/^docker-credential-ecr-login gives the credentials/);
  });

  it.each<[string, KanikoDriverOptions]>([
    ["no option", {}],
    ["a mount elsewhere", { additionalMounts: [{ mountPath: "/kaniko/.dockers", secret }] }],
    ["a variable that lets nobody in", { env: { AWS_REGION: "eu-central-1", HELLO: "world" } }],
  ])("is nothing with %s", async (_title, options) => {
    expect(await reason(options)).toBeUndefined();
  });
});
