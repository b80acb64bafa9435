import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { deployRegistry, type ClusterRegistryOptions } from "./support/registries/deploy-registry.ts";
import { applyPullSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { manifestStatus, uploadImage } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const good = randomUser("app");
const rights = { "*": ["pull", "push"] } as const;
const registries: readonly { readonly title: string; readonly auth: ClusterRegistryOptions["auth"] }[] = [
  { title: "Basic auth", auth: { htpasswd: { [good.name]: good.password } } },
  { title: "token auth", auth: { tokens: { users: { [good.name]: { password: good.password, rights } } } } },
];

it.for(registries)(
  "with $title a Secret that the registry refuses does not hide the one behind it",
  async ({ auth }) => {
    await using namespace = await createTestNamespace();
    const registry = await deployRegistry(namespace, { auth });
    await uploadImage(registry, good, { repository: "base/app", tag: "1", files: { marker: "from the base\n" } });
    await applyPullSecret(namespace, "stale", { [registry.host]: randomUser(good.name) });
    await applyPullSecret(namespace, "good", { [registry.host]: good });
    await using context = await createContextFolder({
      Dockerfile: `FROM ${registry.host}/base/app:1\nCOPY Dockerfile /\n`,
    });
    await using builder = createBuilder({
      driver: buildkitDriver(registryDriverOptions(namespace)),
      credentials: [pullSecret({ name: "stale" }), pullSecret({ name: "good" })],
    });

    const tags = [`${registry.host}/team/app:1`];
    const { digest } = await builder.build({ context: context.path, tags }).image();

    expect(await manifestStatus(registry, good, { repository: "team/app", reference: digest })).toBe(200);
  },
);
