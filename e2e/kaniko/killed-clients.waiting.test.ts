import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as elapse } from "node:timers/promises";

import type { ConfigMap, Job, KubernetesObject, PersistentVolumeClaim, Pod, Secret } from "@slipway/cluster";
import type { BuildEvent } from "slipway";
import type { KanikoDriverOptions } from "slipway/kaniko";
import { expect, test } from "vitest";

import { createContextFolder, type ContextFolder } from "../support/context-folder.ts";
import type { ProgramOptions } from "./build-program.ts";
import { holdSecret } from "./held-secret.ts";
import { buildIdLabel, createKanikoNamespace, type KanikoNamespace } from "./kaniko-namespace.ts";

const deadlineMs = 60_000;
const goneMs = 90_000;
const workspaceLabel = "slipway.dev/workspace";

/** Starts a build in a process of its own and kills that with SIGKILL as soon as an event matches. */
async function killDuring(
  { namespace, driverOptions }: KanikoNamespace,
  context: ContextFolder,
  tag: string,
  matches: (event: BuildEvent) => boolean | Promise<boolean>,
  options: Partial<KanikoDriverOptions> = {},
): Promise<string> {
  const programOptions: ProgramOptions = {
    driver: { ...driverOptions, ...options, deadlineMs },
    context: context.path,
    tag: `${namespace.repository}/sigkill:${tag}`,
  };
  const program = join(import.meta.dirname, "build-program.ts");
  const argv = ["--conditions=@slipway/source", program, JSON.stringify(programOptions)];
  const child: ChildProcess = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  if (child.stdout === null) throw new Error("The program has no output.");
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as BuildEvent;
    if (!(await matches(event))) continue;
    child.kill("SIGKILL");
    await ended;
    return event.buildId;
  }
  throw new Error("The build ended without the event.");
}

/** Kills a client whose Job is there, and whose Secret is on its way. */
async function killBeforeSecret(kaniko: KanikoNamespace, context: ContextFolder): Promise<string> {
  await using held = await holdSecret(kaniko.namespace);
  const isHeld = () => held.asked.then(() => true);
  const id = await killDuring(kaniko, context, "before-secret", isHeld, held.access);
  const objects = await labelled(kaniko, buildIdLabel, [id]);
  expect(objects.filter((name) => name.startsWith("Job"))).toHaveLength(1);
  expect(objects.filter((name) => name.startsWith("Secret"))).toEqual([]);
  return id;
}

async function labelled(
  { namespace }: KanikoNamespace,
  label: string,
  values: readonly string[],
): Promise<readonly string[]> {
  const labelSelector = `${label} in (${values.join(",")})`;
  const kinds = [
    { apiVersion: "batch/v1", kind: "Job" },
    { apiVersion: "v1", kind: "Pod" },
    { apiVersion: "v1", kind: "Secret" },
    { apiVersion: "v1", kind: "ConfigMap" },
    { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  ];
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await namespace.cluster.list<Job | Pod | Secret | ConfigMap | PersistentVolumeClaim>(kind, {
        labelSelector,
      });
      return items.map(({ metadata }) => `${kind.kind} ${metadata?.name ?? ""}`);
    }),
  );
  return lists.flat();
}

/** Objects with the labels of the driver that belong to somebody else's build. */
async function createNeighbours({ namespace }: KanikoNamespace): Promise<readonly string[]> {
  const labels = {
    "app.kubernetes.io/managed-by": "slipway",
    "slipway.dev/driver": "kaniko",
    [buildIdLabel]: "neighbour",
  };
  const image = namespace.testCluster.images.busybox;
  const objects: readonly KubernetesObject[] = [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "neighbour", labels } },
    {
      ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "neighbour", labels } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "a", image, command: ["sleep", "3600"] }] },
    } as Pod,
  ];
  const created = await Promise.all(objects.map((object) => namespace.cluster.create(object)));
  return created.map(({ metadata }) => metadata?.uid ?? "");
}

async function neighbours({ namespace }: KanikoNamespace): Promise<readonly (string | undefined)[]> {
  const kinds = ["Secret", "Pod"];
  const found = await Promise.all(
    kinds.map((kind) => namespace.cluster.get<KubernetesObject>({ apiVersion: "v1", kind, name: "neighbour" })),
  );
  return found.map((object) => object?.metadata?.uid);
}

test("SIGKILL: 90 s after a client was killed, before its Secret is there, during an upload, a sync or a build, nothing of its build or its workspace is left", async () => {
  await using kaniko = await createKanikoNamespace();
  const uids = await createNeighbours(kaniko);
  const dockerfile = `FROM ${kaniko.namespace.testCluster.bases.busybox}\nRUN sleep 600\n`;
  await using small = await createContextFolder({ Dockerfile: dockerfile });
  await using large = await createContextFolder({ Dockerfile: dockerfile, noise: randomBytes(128 * 1024 * 1024) });
  const startedMs = performance.now();
  const builds = (event: BuildEvent): boolean =>
    event.type === "step-log" && event.text.startsWith("Running: [/bin/sh");
  const uploads = (event: BuildEvent): boolean => event.type === "context-progress" && event.sentBytes > 1024 * 1024;
  const idle = { name: "killed-sync", size: "1Gi", idleMs: 15_000 };
  const leased = { name: "killed-build", size: "1Gi", idleMs: 15_000 };
  const ids = await Promise.all([
    killDuring(kaniko, small, "build", builds),
    killDuring(kaniko, large, "upload", uploads),
    killDuring(kaniko, large, "sync", uploads, { workspace: idle }),
    killDuring(kaniko, small, "from-workspace", builds, { workspace: leased }),
    killBeforeSecret(kaniko, small),
  ]);
  // Who was killed while syncing had no pod for its build yet.
  expect((await labelled(kaniko, buildIdLabel, ids)).filter((name) => name.startsWith("Pod"))).toHaveLength(4);
  expect(await labelled(kaniko, workspaceLabel, [idle.name, leased.name])).toHaveLength(6);
  await elapse(goneMs - (performance.now() - startedMs));
  expect(await labelled(kaniko, buildIdLabel, ids)).toEqual([]);
  // Their workspaces were idle from then on, the one too whose version a build had mounted.
  expect(await labelled(kaniko, workspaceLabel, [idle.name, leased.name])).toEqual([]);
  expect(await neighbours(kaniko)).toEqual(uids);
});
