import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { connectCluster } from "@slipway/cluster";
import { openWorkspace, type WorkspaceVersion } from "@slipway/context-sync";
import { createBuilder } from "slipway";
import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";

import { createContextFolder } from "../support/context-folder.ts";
import { observeBuild, resultOf } from "../support/observed-build.ts";
import { hashInEvents, hashingDockerfile, hashOfFolder } from "./context-hash.ts";

/** What a client in a process of its own is given, as JSON. */
export interface ClientOptions {
  readonly id: string;
  readonly driver: KanikoDriverOptions;
  readonly workspace: { readonly name: string; readonly size: string };
  /** First line of a Dockerfile. */
  readonly from: string;
  readonly tag: string;
}

/** One line that it reads: what to do with its next context. */
export interface ClientTask {
  readonly round: number;
  readonly kind: "sync" | "build";
}

/** One line that it prints. */
export interface ClientReport {
  /** Of the context here. */
  readonly hash: string;
  /** Where a sync has put it on the volume. */
  readonly subPath?: string;
  /** What a build has printed of what it got. */
  readonly printed?: string | undefined;
}

const { id, driver, workspace, from, tag } = JSON.parse(process.argv[2] ?? "") as ClientOptions;
await using folder = await createContextFolder({ Dockerfile: hashingDockerfile(from) });
await using cluster = await connectCluster({
  ...{ kubeconfig: driver.kubeconfig, context: driver.context, namespace: driver.namespace },
});

/** Both clients call their contexts the same, so that each builds on what the other one has left. */
async function sync(): Promise<WorkspaceVersion> {
  const opened = await openWorkspace(cluster, {
    ...{
      name: workspace.name,
      image: driver.images?.helper ?? "",
      volume: { type: "claim-template", size: workspace.size },
    },
  });
  return opened.sync(folder.path, { name: "same" });
}

async function build(): Promise<string | undefined> {
  await using builder = createBuilder({ driver: kanikoDriver({ ...driver, workspace }) });
  const kaniko = { cache: { enabled: false } };
  const observed = observeBuild(builder.build({ context: folder.path, tags: [tag], kaniko }));
  await resultOf(observed);
  return hashInEvents(observed.events);
}

async function perform({ round, kind }: ClientTask): Promise<ClientReport> {
  await rm(join(folder.path, `${id}-${round - 1}`), { force: true });
  await folder.write(`${id}-${round}`, randomBytes(1000));
  await folder.write("both/have", `${id} in round ${round}`);
  await folder.write(`both/sometimes-${round % 7}`, randomBytes(20_000));
  const hash = await hashOfFolder(folder.path);
  if (kind === "build") return { hash, printed: await build() };
  const { subPath } = await sync();
  return { hash, subPath };
}

for await (const line of createInterface({ input: process.stdin })) {
  const report = await perform(JSON.parse(line) as ClientTask);
  console.log(JSON.stringify(report));
}
