import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { deployRegistry, type ClusterRegistry } from "./support/registries/deploy-registry.ts";
import { applyPullSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { manifestStatus, uploadImage, type RegistryUser } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import type { TokenServerOptions } from "./support/registries/token-authority.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

/** A registry, and how its only user gets another password. */
interface RotatingRegistry {
  readonly title: string;
  readonly deploy: (namespace: TestNamespace, user: RegistryUser) => Promise<ClusterRegistry>;
  readonly rotate: (registry: ClusterRegistry, user: RegistryUser) => Promise<void>;
}

const registries: readonly RotatingRegistry[] = [
  {
    title: "Basic auth",
    deploy: (namespace, { name, password }) => deployRegistry(namespace, { auth: { htpasswd: { [name]: password } } }),
    rotate: (registry, { name, password }) => registry.setPasswords({ [name]: password }),
  },
  {
    title: "token auth",
    deploy: (namespace, user) => deployRegistry(namespace, { auth: { tokens: tokenUsers(user) } }),
    rotate: async (registry, user) => registry.tokenServer?.configure(tokenUsers(user)),
  },
];

it.for(registries)("ROTATE: with $title the second build uses the new password", async ({ deploy, rotate }) => {
  await using namespace = await createTestNamespace();
  const before = randomUser("builder");
  const registry = await deploy(namespace, before);
  const bases = ["first", "second", "third"].map((name) => `base/${name}`);
  for (const repository of bases) await uploadImage(registry, before, { repository, tag: "1", files: { repository } });
  await applyPullSecret(namespace, "regcred", { [registry.host]: before });
  await using builder = createBuilder({
    driver: buildkitDriver(registryDriverOptions(namespace)),
    credentials: [pullSecret({ name: "regcred" })],
  });
  // Each round has a base and a destination of its own, so that nothing that the daemon or a token has from before will do.
  const build = async (round: "first" | "second" | "third") => {
    await using context = await createContextFolder({
      Dockerfile: `FROM ${registry.host}/base/${round}:1\nCOPY Dockerfile /\n`,
    });
    return await builder.build({ context: context.path, tags: [`${registry.host}/app/${round}:1`] }).result();
  };
  const first = await build("first");

  const after = randomUser("builder");
  await rotate(registry, after);
  await expect(served(registry, before, first.image?.digest), "the old password is of no use").rejects.toThrow();
  await expect(build("third"), "the Secret still has the old password").rejects.toMatchObject({
    code: "REGISTRY_UNAUTHORIZED",
  });

  await applyPullSecret(namespace, "regcred", { [registry.host]: after });
  const second = await build("second");
  expect(second.pods).toEqual(first.pods);
  const reference = second.image?.digest ?? "";
  expect(await manifestStatus(registry, after, { repository: "app/second", reference })).toBe(200);
});

async function served(registry: ClusterRegistry, user: RegistryUser, digest = ""): Promise<void> {
  const status = await manifestStatus(registry, user, { repository: "app/first", reference: digest });
  if (status !== 200) throw new Error(`answered ${status}`);
}

function tokenUsers({ name, password }: RegistryUser): TokenServerOptions {
  return { users: { [name]: { password, rights: { "*": ["pull", "push"] } } } };
}
