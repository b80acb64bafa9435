import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { afterAll, describe, expect, it } from "vitest";

import { ensureCluster, readCluster } from "../dev-cluster/src/index.ts";
import { clusterSite } from "../dev-cluster/src/cluster-context.ts";
import { readRecord } from "../dev-cluster/src/cluster-record.ts";
import { runClusterCommand, startClusterCommand } from "./cluster-down/cluster-command.ts";
import {
  type SnapshotScope,
  findProcesses,
  networkNamespaces,
  snapshotMachine,
} from "./cluster-down/machine-snapshot.ts";
import { seededRandom } from "./cluster-down/seeded-random.ts";

const name = "cluster-down";
const kills = 10;
/** A kill may come at any time within this; when the start is complete by then, within the time that it took. */
const firstStartMs = 10_000;

describe("the embedded cluster", () => {
  const goCache = mkdtempSync(join(tmpdir(), "slipway-go-cache-"));
  afterAll(async () => {
    await runClusterCommand("down", "--purge", "--name", name);
    rmSync(goCache, { recursive: true, force: true });
  });

  it("CLUSTER-DOWN: leaves nothing on the machine after ten killed starts, a complete one, and down", async (context) => {
    const cluster = await ensureCluster();
    if (!cluster.owned) return context.skip("SLIPWAY_KUBECONFIG names a cluster that is not started here");
    await runClusterCommand("down", "--purge", "--name", name);
    const scope = scopeBeside(cluster.name);
    const before = snapshotMachine(scope);
    const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 2 ** 32);
    console.log(`seed ${seed} (repeat with SLIPWAY_SEED=${seed})`);
    const random = seededRandom(seed);
    const compileKill = Math.floor(random() * kills);

    for (let kill = 0; kill < kills; kill++) {
      if (kill === compileKill) await killInCompile(goCache);
      else await killStart(random(), firstStartMs);
    }
    await runClusterCommand("up", "--name", name);
    const started = readCluster(name);
    expect(started?.nodes).toEqual(["node-a", "node-b"]);
    const own = networkNamespaces([process.pid]);
    const all = networkNamespaces(findProcesses(scope.marks).map(({ pid }) => pid));
    const namespaces = all.difference(own);
    expect(namespaces.size).toBeGreaterThanOrEqual(3);

    await runClusterCommand("down", "--purge", "--name", name);
    expect(snapshotMachine(scope)).toEqual(before);
    expect([...namespaces.intersection(networkNamespaces())]).toEqual([]);
    expect(await runClusterCommand("status", "--name", cluster.name)).toContain("healthy");
  });
});

function scopeBeside(other: string): SnapshotScope {
  const { paths, cgroups } = clusterSite({ name });
  const ownGroups = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .map((line) => line.split("/")[1] ?? "");
  const foreign = [clusterSite({ name: other }).cgroups.path.slice(1), ...ownGroups.filter(Boolean)];
  const packages = readRecord(clusterSite({ name: other }).paths)?.packages ?? "";
  return { marks: [`${paths.root}/`, paths.lock, cgroups.path], foreignCgroups: foreign, packages };
}

/** Kills a start at a part of its time. */
async function killStart(part: number, startMs: number): Promise<void> {
  const began = Date.now();
  const command = startClusterCommand(["up", "--name", name]);
  await Promise.race([delay(part * startMs), command.ended]);
  command.child.kill("SIGKILL");
  if ((await command.ended) === "SIGKILL") return;
  await runClusterCommand("down", "--name", name);
  await killStart(part, (Date.now() - began) * 0.8);
}

/**
 * Kills a start while a compiler runs. Only the smallest program is compiled anew, with an empty Go cache. The compile
 * of Go's runtime takes more than a second, so one that outlived the command would still be seen.
 */
async function killInCompile(goCache: string): Promise<void> {
  const salt = { SLIPWAY_ARTIFACT_SALT: `pause=${goCache}`, GOCACHE: goCache };
  const command = startClusterCommand(["up", "--name", name], salt);
  const compilers = (): readonly { pid: number }[] =>
    findProcesses(["/compile -o "]).filter(
      ({ pid, command }) => command.includes(" -p runtime ") && hasGoCache(pid, goCache),
    );
  await until("a compiler runs", () => compilers().length > 0, 60_000);
  command.child.kill("SIGKILL");
  expect(await command.ended).toBe("SIGKILL");
  await until("the compiler ended with the command", () => compilers().length === 0, 600);
}

function hasGoCache(pid: number, goCache: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`GOCACHE=${goCache}`);
  } catch {
    return false;
  }
}

async function until(what: string, check: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}.`);
    await delay(20);
  }
}
