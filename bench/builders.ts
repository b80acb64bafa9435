import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { ensureCluster, ensureProgram, type TestCluster } from "../dev-cluster/src/index.ts";
import type { Command } from "./measure.ts";

const run = promisify(execFile);

/** Both sides on one cluster: a namespace, the same BuildKit image, the same registry. */
export interface Builders extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly namespace: string;
  /** Our build of a folder, or the bootstrap of our builder. */
  slipway(build?: { readonly context: string; readonly tag: string }): Command;
  /** A call of the buildx binary. */
  buildx(...argv: readonly string[]): Command;
  /** `buildx create` with what it needs to reach the registry. */
  buildxCreate(): Command;
  /** `buildx build --push` of a folder. */
  buildxBuild(context: string, tag: string): Command;
  kubectl(...argv: readonly string[]): Promise<string>;
  execute(command: Command): Promise<void>;
}

const peerBuilder = "peer";
const ourBuilder = "ours";

/** Makes a namespace for a comparison; disposing deletes it. */
export async function prepareBuilders(): Promise<Builders> {
  const cluster = await ensureCluster({ onProgress: (line) => console.error(line) });
  const buildx = await ensureProgram("buildx");
  const namespace = `slipway-bench-${randomBytes(3).toString("hex")}`;
  const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
  const config = join(folder, "buildkitd.toml");
  await writeFile(config, `[registry."${cluster.registry.clusterHost}"]\n  http = true\n`);
  await mkdir(join(folder, "buildx"));
  const peerEnv = { KUBECONFIG: cluster.kubeconfigPath, BUILDX_CONFIG: join(folder, "buildx") };
  const peer = (...argv: readonly string[]): Command => ({ argv: [buildx, ...argv], env: peerEnv });
  const kubectl = async (...argv: readonly string[]): Promise<string> => {
    const [file = "", ...prefix] = cluster.kubectl;
    return (await run(file, [...prefix, ...argv])).stdout;
  };
  await kubectl("create", "namespace", namespace);
  const driver = {
    name: ourBuilder,
    namespace,
    kubeconfig: cluster.kubeconfigPath,
    context: cluster.context,
    image: cluster.images.buildkit,
    registries: { [cluster.registry.clusterHost]: { http: true } },
  };
  return {
    cluster,
    namespace,
    kubectl,
    slipway: (build) => {
      const options = build && { context: build.context, tags: [build.tag] };
      // As a command-line tool does with `module.enableCompileCache()`: the peer is compiled as well.
      const env = {
        SLIPWAY_BENCH: JSON.stringify({ driver, build: options }),
        NODE_COMPILE_CACHE: join(folder, "compile-cache"),
      };
      return { argv: [process.execPath, resolve(import.meta.dirname, "programs/slipway-build.mjs")], env };
    },
    buildx: peer,
    buildxCreate: () => {
      const options = `image=${cluster.images.buildkit},namespace=${namespace},replicas=1,timeout=60s`;
      return peer(
        "create",
        "--name",
        peerBuilder,
        "--driver",
        "kubernetes",
        "--driver-opt",
        options,
        "--buildkitd-config",
        config,
        "--bootstrap",
      );
    },
    buildxBuild: (context, tag) => peer("--builder", peerBuilder, "build", "-t", tag, "--push", context),
    execute: async ({ argv: [file = "", ...argv], env }) => {
      await run(file, argv, { env: { ...process.env, ...env } });
    },
    [Symbol.asyncDispose]: async () => {
      await kubectl("delete", "namespace", namespace, "--wait=false");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
