import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { createBuilder, type BuildOptions } from "slipway";
import { expect, it } from "vitest";

import { ensureCluster } from "../dev-cluster/src/index.ts";
import { expectFailure, type ExpectedFailure } from "./bad-input/expected-failure.ts";
import { startIdleServer } from "./bad-input/idle-server.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { readClusterAccess, writeKubeconfig } from "./support/kubeconfig-file.ts";

/** An input that is wrong whatever the cluster says. */
interface LocalCase extends ExpectedFailure {
  readonly title: string;
  readonly build?: Record<string, unknown>;
  readonly driver?: Record<string, unknown>;
  readonly builder?: Record<string, unknown>;
  readonly call?: Record<string, unknown>;
}

const cases: readonly LocalCase[] = [
  {
    title: "unknown option of build",
    build: { buildArg: { A: "1" } },
    code: "INVALID_OPTIONS",
    message: [/buildArg/, /did you mean "buildArgs"\?/],
    details: { issues: [{ path: "buildArg", message: expect.stringContaining("buildArgs") as string }] },
  },
  {
    title: "unknown option of the driver",
    driver: { namspace: "builds" },
    code: "INVALID_OPTIONS",
    message: [/namspace/, /did you mean "namespace"\?/],
  },
  {
    title: "unknown option inside an option of the driver",
    driver: { registries: { "registry.svc:5000": { htttp: true } } },
    code: "INVALID_OPTIONS",
    message: [/registries\["registry\.svc:5000"\]\.htttp/, /did you mean "http"\?/],
  },
  {
    title: "unknown option of the builder",
    builder: { concurency: 2 },
    code: "INVALID_OPTIONS",
    message: [/concurency/, /did you mean "concurrency"\?/],
  },
  {
    title: "unknown option of the call",
    call: { timeout: 1000 },
    code: "INVALID_OPTIONS",
    message: [/timeout/, /did you mean "timeoutMs"\?/],
  },
  {
    title: "value of a wrong type",
    build: { target: 3 },
    code: "INVALID_OPTIONS",
    message: [/target: .*string/],
  },
  {
    title: "invalid tag",
    build: { tags: ["registry.example.com/Team/API:v1"] },
    code: "INVALID_OPTIONS",
    message: [/tags\[0\]/, /registry\.example\.com\/Team\/API:v1/, /lower case/],
  },
  {
    title: "a push without a tag",
    build: { tags: [] },
    code: "INVALID_OPTIONS",
    message: [/tags/],
  },
  {
    title: "missing context",
    build: { context: "/nonexistent/api" },
    code: "CONTEXT_INVALID",
    message: [/\/nonexistent\/api does not exist/, /Check the path/],
    details: { path: "/nonexistent/api" },
  },
  {
    title: "context that is a file",
    build: { context: import.meta.filename },
    code: "CONTEXT_INVALID",
    message: [/is not a directory/, /Name the directory/],
  },
  {
    title: "missing Dockerfile",
    build: { dockerfile: "Dokerfile" },
    code: "CONTEXT_INVALID",
    message: [/Dokerfile does not exist/, /Did you mean "Dockerfile"\?/],
  },
  {
    title: "something that the driver cannot do",
    build: { cacheTo: [{ type: "local", directory: "out" }] },
    code: "UNSUPPORTED_FEATURE",
    message: [/does not support cacheTo:local/, /nothing was started/],
    details: { features: ["cacheTo:local"] },
  },
];

it.for(cases)("BAD-INPUT: $title", async ({ title, build, driver, builder, call, ...expected }) => {
  await using server = await startIdleServer();
  await using file = await writeKubeconfig(await readClusterAccess(await ensureCluster()), { server: server.url });
  await using context = await createContextFolder({ Dockerfile: "FROM scratch\n" });
  const action = async (): Promise<unknown> => {
    const options = { kubeconfig: file.kubeconfig, ...driver } as BuildkitDriverOptions;
    await using made = createBuilder({ driver: buildkitDriver(options), retries: 0, ...builder });
    const request = { context: context.path, tags: ["registry.example.com/api:1"], ...build } as BuildOptions;
    return await made.build(request, call).result();
  };
  await expectFailure(title, action, expected);
  expect(server.connectionCount).toBe(0);
});

it("BAD-INPUT: the same request is sent when nothing is wrong with it", async () => {
  await using server = await startIdleServer();
  await using file = await writeKubeconfig(await readClusterAccess(await ensureCluster()), { server: server.url });
  await using context = await createContextFolder({ Dockerfile: "FROM scratch\n" });
  await using builder = createBuilder({ driver: buildkitDriver({ kubeconfig: file.kubeconfig }), retries: 0 });
  const run = builder.build({ context: context.path, tags: ["registry.example.com/api:1"] });
  await expect(run.result()).rejects.toMatchObject({ code: "CLUSTER_UNREACHABLE" });
  expect(server.connectionCount).toBeGreaterThan(0);
});

/** Kubeconfigs that lead nowhere, by what is wrong with them. */
const kubeconfigs: readonly (ExpectedFailure & { title: string; text?: string; context?: string })[] = [
  {
    title: "kubeconfig that does not exist",
    code: "KUBECONFIG_INVALID",
    message: [/does not exist/, /Check the path in the kubeconfig option or in KUBECONFIG/],
  },
  {
    title: "kubeconfig that is not YAML",
    text: "clusters: [unclosed",
    code: "KUBECONFIG_INVALID",
    message: [/is not a kubeconfig/, /kubectl config view/],
  },
  {
    title: "kubeconfig that is something else",
    text: "just some text",
    code: "KUBECONFIG_INVALID",
    message: [/is not a kubeconfig/, /kubectl config view/],
  },
  {
    title: "context that the kubeconfig does not have",
    text: JSON.stringify({ apiVersion: "v1", kind: "Config", contexts: [{ name: "staging", context: {} }] }),
    context: "production",
    code: "KUBECONFIG_INVALID",
    message: [/has no context "production"/, /It has: staging/],
    details: { context: "production" },
  },
];

it.for(kubeconfigs)("BAD-INPUT: $title", async ({ title, text, context, ...expected }) => {
  await using folder = await createContextFolder({ Dockerfile: "FROM scratch\n" });
  const kubeconfig = join(folder.path, "kubeconfig");
  if (text !== undefined) await writeFile(kubeconfig, text);
  await using builder = createBuilder({ driver: buildkitDriver({ kubeconfig, context }) });
  const build = () => builder.build({ context: folder.path, tags: ["registry.example.com/api:1"] }).result();
  const error = await expectFailure(title, build, expected);
  expect(error.details).toMatchObject({ path: kubeconfig });
});
