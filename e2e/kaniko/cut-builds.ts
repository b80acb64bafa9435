import { randomBytes } from "node:crypto";

import { BuilderError, createBuilder, type Builder, type BuildResult } from "slipway";
import { kanikoDriver, type KanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";

import { createProxiedKubeconfig } from "../streams/through-proxy.ts";
import { createContextFolder, type ContextFolder } from "../support/context-folder.ts";
import { observeBuild } from "../support/observed-build.ts";
import { createNumbers } from "../support/seeded-numbers.ts";
import { hashInEvents, hashingDockerfile, hashOfFolder } from "./context-hash.ts";
import type { KanikoNamespace } from "./kaniko-namespace.ts";

/** How a build ended whose connections were cut. */
export interface CutBuild {
  readonly transport: "stream" | "workspace";
  readonly cutAt: number;
  readonly wasCut: boolean;
  readonly attempts: number;
  readonly durationMs: number;
  /** `built`, or the code of the error. */
  readonly outcome: string;
  /** What was reported last: where a build was that did not end by itself. */
  readonly lastEvents: readonly string[];
  /** Of the context here, and as the Dockerfile has printed it. */
  readonly hashes: readonly [client: string, build: string | undefined];
}

/** One that takes as long is not waited for any longer: its outcome is `ABORTED`. */
const patienceMs = 180_000;

/** What a cut may come after: most builds send about so much. */
const cutWithinBytes = { stream: 110_000, workspace: 50_000 } as const;

/** One client that builds again and again, each time with other files, while its connections are cut somewhere. */
export async function* cutBuilds(
  { namespace, driverOptions }: KanikoNamespace,
  { transport, rounds, seed }: { transport: CutBuild["transport"]; rounds: number; seed: number },
): AsyncIterable<CutBuild> {
  await using kubeconfig = await createProxiedKubeconfig(namespace.testCluster);
  const { proxy } = kubeconfig;
  const options: KanikoDriverOptions = { ...driverOptions, kubeconfig: kubeconfig.path, context: undefined };
  const workspace = transport === "workspace" ? { size: "1Gi" } : undefined;
  const below = createNumbers(seed);
  await using folder = await createContextFolder({
    Dockerfile: hashingDockerfile(`FROM ${namespace.testCluster.bases.busybox}\n`),
  });
  for (let index = 0; index < 15; index += 1) await folder.write(`src/file-${index}`, randomBytes(3000));
  for (let round = 0; round < rounds; round += 1) {
    await folder.write(`src/file-${below(20)}`, randomBytes(below(40_000)));
    // Every other one may try again, as it would by itself.
    const retries = round % 2 === 0 ? 0 : 2;
    await using builder = createBuilder({ driver: kanikoDriver({ ...options, workspace }), retries });
    const cutAt = below(cutWithinBytes[transport]);
    const before = proxy.sentBytes;
    proxy.cutAfter(cutAt);
    const startedMs = performance.now();
    const { outcome, printed, attempts, lastEvents } = await build(
      builder,
      folder,
      `${namespace.repository}/cut:${seed}`,
    );
    yield {
      ...{ transport, cutAt, wasCut: proxy.sentBytes - before >= cutAt, attempts },
      durationMs: performance.now() - startedMs,
      lastEvents,
      outcome: BuilderError.isInstance(outcome) ? outcome.code : "built",
      hashes: [await hashOfFolder(folder.path), printed],
    };
    proxy.cutAfter(Number.POSITIVE_INFINITY);
  }
}

async function build(
  builder: Builder<KanikoDriver>,
  folder: ContextFolder,
  tag: string,
): Promise<
  Pick<CutBuild, "attempts" | "lastEvents"> & { outcome: BuildResult | BuilderError; printed: string | undefined }
> {
  const kaniko = { cache: { enabled: false } };
  const signal = AbortSignal.timeout(patienceMs);
  const observed = observeBuild(builder.build({ context: folder.path, tags: [tag], kaniko }, { signal }));
  const outcome = await observed.outcome;
  const attempts = observed.events.filter(({ type }) => type === "build-retry").length + 1;
  const lastEvents = observed.events.slice(-8).map((event) => JSON.stringify(event).slice(0, 200));
  return { outcome, printed: hashInEvents(observed.events), attempts, lastEvents };
}
