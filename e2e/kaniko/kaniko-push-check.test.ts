import type { Pod, Secret, Service } from "@slipway/cluster";
import { pullSecret } from "slipway/secrets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { deployRegistry, type ClusterRegistry } from "../support/registries/deploy-registry.ts";
import { applyDockerConfigSecret, applyPullSecret, randomUser } from "../support/registries/pull-secret-object.ts";
import { listTags, manifestStatus } from "../support/registries/registry-access.ts";
import { registryName, registryPort } from "../support/registries/registry-names.ts";
import { recordPods, recordSecrets } from "../support/object-record.ts";
import { createTestNamespace } from "../support/test-namespace.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials, type TrialOptions } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
const elsewhere = await createTestNamespace();
afterAll(async () => {
  await kaniko[Symbol.asyncDispose]();
  await elsewhere[Symbol.asyncDispose]();
});

const trials = new KanikoTrials(kaniko);
const { namespace, driverOptions } = kaniko;
const { cluster } = namespace;
const dockerfile = `${trials.from}RUN echo hello\n`;
const team = randomUser("team");
const app = randomUser("app");
const single = randomUser("single");
/** Reached by the Service of another name, which has no selector, so that no pod is known to be behind it. */
const manualHost = `manual.${namespace.name}.svc:${registryPort}`;
/** Takes pushes to `team/…` from `team`, and from `single` to one repository alone, by token; in another namespace. */
let tokens: ClusterRegistry;
/** Takes any from `app`, by password. */
let passwords: ClusterRegistry;

beforeAll(async () => {
  const rights = { "team/*": ["pull", "push"], "caches/*": ["pull"] } as const;
  const one = { "single/app": ["pull", "push"] } as const;
  const users = {
    [team.name]: { password: team.password, rights },
    [single.name]: { password: single.password, rights: one },
  };
  [tokens, passwords] = await Promise.all([
    deployRegistry(elsewhere, { auth: { tokens: { users } } }),
    deployRegistry(namespace, { auth: { htpasswd: { [app.name]: app.password } } }),
  ]);
  await serveByHand();
  await applyPullSecret(namespace, "team", { [tokens.host]: team });
  await applyPullSecret(namespace, "single", { [tokens.host]: single });
  const stale = randomUser(app.name);
  await applyPullSecret(namespace, "stale", { [passwords.host]: stale, [manualHost]: stale });
  await applyPullSecret(namespace, "good", { [passwords.host]: app });
  await applyDockerConfigSecret(namespace, "helper", { credHelpers: { [passwords.host]: "ecr-login" } });
});

async function serveByHand(): Promise<void> {
  const pod = await cluster.get<Pod>({ apiVersion: "v1", kind: "Pod", name: registryName });
  const ports = [{ port: registryPort }];
  await cluster.create<Service>({ apiVersion: "v1", kind: "Service", metadata: { name: "manual" }, spec: { ports } });
  const slice = {
    ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: "IPv4", ports },
    metadata: { name: "manual", labels: { "kubernetes.io/service-name": "manual" } },
    endpoints: [{ addresses: [pod?.status?.podIP] }],
  };
  await cluster.create(slice);
}

/** With the Secret of a name. */
function options(secret: string, trial: TrialOptions): TrialOptions {
  const hosts = [tokens.host, passwords.host, manualHost].map((host) => [host, { http: true }] as const);
  const registries = { ...driverOptions.registries, ...Object.fromEntries(hosts) };
  return { credentials: [pullSecret({ name: secret })], ...trial, driver: { registries, ...trial.driver } };
}

/** Fails before the cluster has anything of the build. */
async function failAtOnce(secret: string, trial: TrialOptions) {
  using pods = await recordPods(namespace);
  using secrets = await recordSecrets(namespace);
  const error = await trials.fail(dockerfile, options(secret, trial));
  expect(await pods.made()).toEqual([]);
  expect(await secrets.made()).toEqual([]);
  return error;
}

describe("the question for permission to push", () => {
  test.each([
    ["context through stdin", {}],
    ["context from a workspace", { workspace: {} }],
  ])("ends a build whose destination refuses: no pod, no Secret, the source named (%s)", async (_title, driver) => {
    const tags = [`${passwords.host}/team/app:1`];
    const error = await failAtOnce("stale", { build: { tags }, driver });
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { registry: passwords.host, status: 401 } });
    expect(error.message).toMatch(new RegExp(`push to ${passwords.host}/team/app`));
    expect(error.message).toContain(`${namespace.name}/stale`);
  });

  test("ends a build whose cache refuses: no pod, no Secret, the source named", async () => {
    const cache = { repository: `${tokens.host}/caches/app` };
    const tags = [`${tokens.host}/team/app:1`];
    const error = await failAtOnce("team", { build: { tags }, kaniko: { cache } });
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { registry: tokens.host } });
    expect(error.message).toMatch(
      /caches\/app.*: name another kaniko\.cache\.repository, or set kaniko\.cache\.enabled/,
    );
    expect(error.message).toContain(`${namespace.name}/team`);
    expect(await manifestStatus(tokens, team, { repository: "team/app", reference: "1" })).toBe(404);
  });

  test.each([
    ["tags at another registry", undefined],
    ["no tags", []],
  ])("ends a build whose cache refuses, with %s", async (_title, tags) => {
    const cache = { repository: `${tokens.host}/caches/app` };
    const build = tags === undefined ? {} : { tags, outputs: [{ type: "cache-only" }] as const };
    const error = await failAtOnce("team", { build, kaniko: { cache } });
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { registry: tokens.host } });
    expect(error.message).toContain(`${namespace.name}/team`);
  });

  test("is a warning where nobody has named the cache, and the registry lets no more than the image in", async () => {
    let args: readonly string[] = [];
    const { result, warnings } = await trials.succeed(dockerfile, {
      ...options("single", { build: { tags: [`${tokens.host}/single/app:1`] } }),
      whileRunning: ({ spec }) => {
        args = spec?.containers.find(({ name }) => name === "executor")?.args ?? [];
        return Promise.resolve();
      },
    });
    const message = /single\/app\/cache: .*: name another kaniko\.cache\.repository, or set kaniko\.cache\.enabled/;
    expect(warnings.filter((warning) => message.test(warning))).toHaveLength(1);
    expect(args).toContain("--no-push-cache=true");
    const reference = result.image?.digest ?? "";
    expect(await manifestStatus(tokens, single, { repository: "single/app", reference })).toBe(200);
  });

  test("lets a build begin whose registries take it", async () => {
    const build = { tags: [`${tokens.host}/team/app:2`, `${passwords.host}/any:1`] };
    const credentials = ["team", "good"].map((name) => pullSecret({ name }));
    const { result } = await trials.succeed(dockerfile, options("team", { build, credentials }));
    const reference = result.image?.digest ?? "";
    expect(await manifestStatus(tokens, team, { repository: "team/app", reference })).toBe(200);
    expect(await manifestStatus(passwords, app, { repository: "any", reference })).toBe(200);
  });

  test("LEAST-CREDS: of two Secrets for a host, the first of which is wrong, a build has what the registry takes", async () => {
    const credentials = ["stale", "good"].map((name) => pullSecret({ name }));
    const base = `${passwords.host}/base:1`;
    const build = async (from: string, tag: string) => {
      let config = "";
      const { warnings } = await trials.succeed(`FROM ${from}\nRUN echo ${tag}\n`, {
        ...options("stale", { credentials, build: { tags: [tag] } }),
        whileRunning: async ({ metadata }) => {
          const name = metadata?.labels?.["batch.kubernetes.io/job-name"] ?? "";
          const secret = await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", name });
          config = Buffer.from(secret?.data?.["config.json"] ?? "", "base64").toString();
        },
      });
      expect(warnings.filter((warning) => warning.includes("kaniko tries"))).toEqual([]);
      return (JSON.parse(config) as { auths: Readonly<Record<string, { auth: string }>> }).auths;
    };
    const auth = Buffer.from(`${app.name}:${app.password}`).toString("base64");
    const accepted = (...repositories: readonly string[]) =>
      Object.fromEntries(["", ...repositories].map((path) => [`${passwords.host}${path}`, { auth }]));
    const { bases } = namespace.testCluster;
    expect(await build(bases.busybox, base)).toEqual(accepted("/base", "/base/cache"));
    // The layer of the RUN step, which kaniko keeps to itself if it may not push it.
    expect(await listTags(passwords, app, "base/cache")).toHaveLength(1);
    expect(await build(base, `${passwords.host}/twice:1`)).toEqual(accepted("/twice", "/twice/cache", "/base"));
  });

  test("is none of base images: who may not pull one learns it from the executor", async () => {
    const error = await trials.fail(`FROM ${passwords.host}/base:1\n`, options("stale", {}));
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { registry: passwords.host } });
    expect(error.message).toContain("does not let this build pull");
  });

  test("goes through the pod of the build where there is no other way", async () => {
    const build = { tags: [`${manualHost}/any:1`] };
    using pods = await recordPods(namespace);
    const error = await trials.fail(`${trials.from}RUN sleep 600\n`, options("stale", { build }));
    expect(error).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", details: { registry: manualHost } });
    expect(error.message).toContain(`${namespace.name}/stale`);
    expect(await pods.made()).toHaveLength(1);
  });

  test("is a warning where only a helper of the executor's image has credentials", async () => {
    const build = { tags: [`${passwords.host}/any:2`], noCache: true };
    // The executor is the one who fails then: it runs the helper, which knows nothing of this registry.
    const { build: observed } = await trials.run(dockerfile, options("helper", { build }));
    expect(observed.events).toContainEqual(expect.objectContaining({ type: "pod-phase", phase: "failed" }));
    const message = expect.stringMatching(/any can be pushed to .*docker-credential-ecr-login/) as string;
    expect(observed.events).toContainEqual(expect.objectContaining({ type: "warning", message }));
  });
});
