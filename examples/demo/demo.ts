import { randomBytes } from "node:crypto";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder, type BuildResult } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { connectCluster } from "slipway/cluster";
import { createRenderer, formatBytes, formatDuration } from "slipway/progress";

import { ensureCluster, exitWithFailure } from "../../dev-cluster/src/index.ts";
import { runOnNode } from "./run-on-node.ts";

const signal = AbortSignal.timeout(20 * 60_000);
const startedMs = performance.now();
const testCluster = await ensureCluster({ onProgress: (line) => console.log(line) }).catch(exitWithFailure);

/** Deleting the namespace at the end deletes all that the demo made. */
const namespace = `slipway-demo-${randomBytes(3).toString("hex")}`;
const { kubeconfigPath: kubeconfig, context, registry, images, bases } = testCluster;
await using cluster = await connectCluster({ kubeconfig, context, namespace });
await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }, { signal });
const folder = await mkdtemp(join(tmpdir(), "slipway-demo-"));

try {
  await cp(join(import.meta.dirname, "app"), folder, { recursive: true });
  await using builder = createBuilder({
    driver: buildkitDriver({
      kubeconfig,
      context,
      namespace,
      image: images.buildkit,
      registries: { [registry.clusterHost]: { http: true } },
    }),
  });

  const build = async (title: string, tag: string): Promise<BuildResult> => {
    console.log(`\n${title}`);
    const run = builder.build(
      {
        context: folder,
        tags: [`${registry.clusterHost}/demo/hello:${tag}`],
        buildArgs: { COMPILER_BASE: bases.cBase, RUNTIME_BASE: bases.busybox },
        labels: { "org.opencontainers.image.title": "hello" },
      },
      { signal },
    );
    const renderer = createRenderer({ stream: process.stdout });
    for await (const event of run) renderer.render(event);
    renderer.end();
    const result = await run.result();
    const cached = result.steps.filter((step) => step.cached).length;
    const { sentFiles, files, sentBytes } = result.context;
    console.log(
      `${result.image?.digest ?? ""} in ${formatDuration(result.durationMs)}: ${cached} of ${result.steps.length} steps cached,`,
    );
    console.log(`${sentFiles} of ${files} files sent (${formatBytes(sentBytes)})`);
    return result;
  };

  const first = await build("First build", "1");
  await writeFile(
    join(folder, "greeting.c"),
    '#include "greeting.h"\n\nconst char *greeting(void) { return "hello again"; }\n',
  );
  const second = await build("Second build, with one file changed", "2");
  const digest = second.image?.digest ?? "";

  console.log("\nThe image on each node");
  const outputs: string[] = [];
  for (const node of testCluster.nodes) {
    const output = await runOnNode(cluster, node, `${registry.nodeHost}/demo/hello@${digest}`, { signal });
    console.log(`  ${node}: ${output}`);
    outputs.push(output);
  }

  console.log(`\nfirst  ${formatDuration(first.durationMs)}  ${first.image?.digest ?? ""}`);
  console.log(`second ${formatDuration(second.durationMs)}  ${digest}`);
  console.log(`all    ${formatDuration(performance.now() - startedMs)}`);
  if (first.image?.digest === digest) throw new Error("The second build gave the image of the first one.");
  for (const [index, node] of testCluster.nodes.entries()) {
    if (outputs[index] !== `hello again from ${node}`)
      throw new Error(`${node} printed ${JSON.stringify(outputs[index])}.`);
  }
  await builder.remove();
  console.log(`demo ok ${digest} ${outputs.join(", ")}`);
} finally {
  await rm(folder, { recursive: true, force: true });
  await cluster.delete({ apiVersion: "v1", kind: "Namespace", name: namespace }, {});
}
