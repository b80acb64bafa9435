import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

import { createBuilder } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { pullSecret } from "slipway/secrets";
import { afterEach, expect, it, vi } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { observeBuild, resultOf } from "./support/observed-build.ts";
import { buildkitBase } from "./support/registries/buildkit-base.ts";
import { deployRegistry } from "./support/registries/deploy-registry.ts";
import { applyDockerConfigSecret, randomUser } from "./support/registries/pull-secret-object.ts";
import { manifestStatus, uploadImage, type RegistryUser } from "./support/registries/registry-access.ts";
import { registryDriverOptions } from "./support/registries/registry-names.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

const program = "docker-credential-ecr-login";
const journal = "/tmp/helper-calls";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("HELPER: a credential helper of a Secret is run in the builder's pod, not here", async () => {
  await using namespace = await createTestNamespace();
  const user = randomUser("AWS");
  const registry = await deployRegistry(namespace, { auth: { htpasswd: { [user.name]: user.password } } });
  await uploadImage(registry, user, { repository: "base/app", tag: "1", files: { marker: "from the base\n" } });
  await applyDockerConfigSecret(namespace, "ecr", { credsStore: "ecr-login" });
  await using decoy = await createDecoy();
  vi.stubEnv("PATH", `${decoy.path}${delimiter}${process.env.PATH}`);
  await using context = await createContextFolder({
    Dockerfile: `FROM ${registry.host}/base/app:1\nCOPY Dockerfile /\n`,
  });
  const build = async (options: BuildkitDriverOptions) => {
    const driver = buildkitDriver({ ...registryDriverOptions(namespace), ...options });
    await using builder = createBuilder({ driver, credentials: [pullSecret({ name: "ecr" })] });
    const run = builder.build({ context: context.path, tags: [`${registry.host}/team/app:1`] });
    const { events, outcome } = observeBuild(run);
    return { outcome: await outcome, events };
  };

  const without = await build({});
  expect(without.outcome).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  expect(without.events).toContainEqual(
    expect.objectContaining({ type: "warning", message: expect.stringContaining(program) as string }),
  );
  const result = await resultOf(await build({ image: await buildBuilderImage(namespace, user) }));

  const reference = result.image?.digest ?? "";
  expect(await manifestStatus(registry, user, { repository: "team/app", reference })).toBe(200);
  const calls = (await readInPod(namespace, result.pods[0] ?? "", journal)).trim().split("\n");
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) expect(call).toBe(`get ${registry.host}`);
  expect(existsSync(join(decoy.path, "called")), "the helper of this machine was run").toBe(false);
});

/** A helper of the same name on this machine, which must not be asked. */
async function createDecoy() {
  const folder = await createContextFolder({ [program]: `#!/bin/sh\ntouch "$(dirname "$0")/called"\nexit 1\n` });
  await chmod(join(folder.path, program), 0o755);
  return folder;
}

/** buildkitd with a helper that answers for every registry, and writes down what it was asked. */
async function buildBuilderImage(namespace: TestNamespace, user: RegistryUser): Promise<string> {
  const { registry } = namespace.testCluster;
  const script = [
    "#!/bin/sh",
    "read -r url",
    `echo "$1 $url" >> ${journal}`,
    `printf '{"ServerURL":"%s","Username":"${user.name}","Secret":"${user.password}"}' "$url"`,
    "",
  ].join("\n");
  const dockerfile = `FROM ${await buildkitBase(namespace.testCluster)}\nCOPY --chmod=755 ${program} /usr/local/bin/\n`;
  await using context = await createContextFolder({ Dockerfile: dockerfile, [program]: script });
  await using builder = createBuilder({ driver: buildkitDriver(registryDriverOptions(namespace)) });
  const repository = `${namespace.repository}/buildkit`;
  const { digest } = await builder.build({ context: context.path, tags: [`${repository}:1`] }).image();
  return `${repository.replace(registry.clusterHost, registry.nodeHost)}@${digest}`;
}

async function readInPod({ cluster, name }: TestNamespace, pod: string, path: string): Promise<string> {
  await using stream = await cluster.exec({ namespace: name, pod, container: "buildkitd", command: ["cat", path] });
  return await text(stream.stdio);
}
