import { createBuilder, type BuildOptions, type Keychain } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

import { expectFailure } from "./bad-input/expected-failure.ts";
import { createContextFolder, type ContextFolder } from "./support/context-folder.ts";
import { observeBuild, resultOf } from "./support/observed-build.ts";
import { deployRegistry, type ClusterRegistry } from "./support/registries/deploy-registry.ts";
import { applyPullSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { manifestStatus, uploadImage } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const seeder = randomUser("seeder");
const reader = randomUser("reader");
const writer = randomUser("writer");
const pullOnly = pullSecret({ name: "base-pull" });
const pushOnly = pullSecret({ name: "team-push" });

it("SCOPED: on token auth one Secret pulls the base and the other pushes the image, at one host", async () => {
  await using namespace = await createTestNamespace();
  const users = {
    [seeder.name]: { password: seeder.password, rights: { "*": ["pull", "push"] } },
    [reader.name]: { password: reader.password, rights: { "base/*": ["pull"] } },
    [writer.name]: { password: writer.password, rights: { "team/*": ["pull", "push"] } },
  } as const;
  const registry = await deployRegistry(namespace, { auth: { tokens: { users } } });
  await using context = await prepare(namespace, registry);
  const build = buildWith(namespace, registry, context);

  const onlyPull = await expectFailure("only the Secret that pulls", () => resultOf(build("refused", [pullOnly])), {
    code: "REGISTRY_UNAUTHORIZED",
    message: [/team\/app/],
  });
  expect(onlyPull.details).toMatchObject({ registry: registry.host });
  await expectFailure("only the Secret that pushes", () => resultOf(build("refused", [pushOnly])), {
    code: "REGISTRY_UNAUTHORIZED",
    message: [/base\/app/],
  });
  expect(await manifestStatus(registry, writer, { repository: "team/app", reference: "refused" })).toBe(404);

  const seen = (await registry.tokenServer?.requests())?.length ?? 0;
  const { image } = await resultOf(build("1", [pullOnly, pushOnly]));
  const digest = image?.digest ?? "";
  expect(await manifestStatus(registry, writer, { repository: "team/app", reference: digest })).toBe(200);
  const requests = (await registry.tokenServer?.requests())?.slice(seen) ?? [];
  expect(requests.filter(({ status }) => status !== 200)).toEqual([]);
  const grants = requests.flatMap(({ user, granted }) => granted.map((scope) => `${user} ${scope}`));
  expect(grants).toContainEqual(expect.stringMatching(/^reader repository:base\/app:pull$/));
  expect(grants).toContainEqual(expect.stringMatching(/^writer repository:team\/app:.*push/));
  // The realm is a name of the cluster: nobody asked it from here.
  await expect(fetch(registry.tokenServer?.realm ?? "")).rejects.toThrow();
});

it("SCOPED: on Basic auth two Secrets for one host are refused before the build, both named", async () => {
  await using namespace = await createTestNamespace();
  const passwords = Object.fromEntries([seeder, reader, writer].map(({ name, password }) => [name, password]));
  const registry = await deployRegistry(namespace, { auth: { htpasswd: passwords } });
  await using context = await prepare(namespace, registry);
  const build = buildWith(namespace, registry, context);

  // Permission to push is another question, which may be left out.
  for (const preflight of [true, false]) {
    const observed = build("1", [pullOnly, pushOnly], { preflight });
    const error = await expectFailure("scopes on Basic auth", () => resultOf(observed), {
      code: "INVALID_OPTIONS",
      message: [
        new RegExp(`${namespace.name}/base-pull`),
        new RegExp(`${namespace.name}/team-push`),
        new RegExp(registry.host.replaceAll(".", "\\.")),
      ],
    });
    for (const { password } of [reader, writer]) expect(JSON.stringify(error)).not.toContain(password);
    expect(observed.events.filter(({ type }) => type === "step-start")).toEqual([]);
  }
  expect(await manifestStatus(registry, writer, { repository: "team/app", reference: "1" })).toBe(404);

  // One of them alone is for the whole host, as far as Basic auth goes.
  expect(await build("2", [pushOnly, pullSecret({ name: "everywhere" })]).outcome).toMatchObject({
    code: "INVALID_OPTIONS",
  });
  expect(await build("3", [pullSecret({ name: "everywhere" })]).outcome).toMatchObject({ image: {} });
});

async function prepare(namespace: TestNamespace, registry: ClusterRegistry): Promise<ContextFolder> {
  await uploadImage(registry, seeder, { repository: "base/app", tag: "1", files: { marker: "from the base\n" } });
  await applyPullSecret(namespace, "base-pull", { [`${registry.host}/base`]: reader });
  await applyPullSecret(namespace, "team-push", { [`${registry.host}/team`]: writer });
  await applyPullSecret(namespace, "everywhere", { [registry.host]: seeder });
  return await createContextFolder({ Dockerfile: `FROM ${registry.host}/base/app:1\nCOPY Dockerfile /\n` });
}

function buildWith(namespace: TestNamespace, registry: ClusterRegistry, context: ContextFolder) {
  return (tag: string, credentials: readonly Keychain[], options: Pick<BuildOptions, "preflight"> = {}) => {
    const builder = createBuilder({ driver: buildkitDriver(registryDriverOptions(namespace)), credentials });
    const run = builder.build({ ...options, context: context.path, tags: [`${registry.host}/team/app:${tag}`] });
    const observed = observeBuild(run);
    const outcome = observed.outcome.finally(() => builder.close());
    return { events: observed.events, outcome };
  };
}
