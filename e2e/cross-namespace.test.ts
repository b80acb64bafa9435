import { createBuilder, type Keychain } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { expect, it } from "vitest";

import { expectFailure } from "./bad-input/expected-failure.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { deployRegistry } from "./support/registries/deploy-registry.ts";
import { applyPullSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { uploadImage } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("CROSS-NAMESPACE: a base image behind a password is pulled with a Secret of another namespace", async () => {
  await using home = await createTestNamespace();
  await using vault = await createTestNamespace();
  const puller = randomUser("puller");
  const registry = await deployRegistry(vault, { auth: { htpasswd: { [puller.name]: puller.password } } });
  const base = { repository: "base/app", tag: "1", files: { marker: "from the base\n" } };
  await uploadImage(registry, puller, base);
  await applyPullSecret(vault, "regcred", { [registry.host]: puller });
  const { busybox } = home.testCluster.bases;
  await using context = await createContextFolder({
    Dockerfile: [
      `FROM ${registry.host}/base/app:1 AS base`,
      `FROM ${busybox}`,
      "COPY --from=base /marker /marker",
      `RUN grep -qx "from the base" /marker`,
      "",
    ].join("\n"),
  });
  const build = async (tag: string, credentials: readonly Keychain[]) => {
    const driver = buildkitDriver(registryDriverOptions(home, [vault]));
    await using builder = createBuilder({ driver, credentials });
    return await builder.build({ context: context.path, tags: [`${home.repository}:${tag}`] }).result();
  };

  const refused = await expectFailure("no credentials", () => build("0", []), {
    code: "REGISTRY_UNAUTHORIZED",
    message: [new RegExp(registry.host.replaceAll(".", "\\."))],
  });
  expect(refused.details).toMatchObject({ registry: registry.host });
  const ownNamespace = build("0", [pullSecret({ name: "regcred" })]);
  await expect(ownNamespace, "there is no such Secret in the builder's namespace").rejects.toThrow(
    /regcred does not exist/,
  );

  const { image } = await build("1", [pullSecret({ name: "regcred", namespace: vault.name })]);
  expect(image?.digest).toMatch(/^sha256:/);
});
