import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";

import type { ClusterPaths } from "./cluster-paths.ts";
import type { ImageName } from "./image-recipes.ts";
import { type ProcessIdentity, isAlive } from "./process-identity.ts";

/** What a finished `up` writes down about the cluster that it started. */
export interface ClusterRecord {
  readonly name: string;
  readonly index: number;
  readonly bootId: string;
  /** Hash of programs and configuration: a cluster of another generation must be started anew. */
  readonly generation: string;
  readonly images: Readonly<Record<ImageName, string>>;
  /** Pid 1 of the control plane and of each node. */
  readonly inits: Readonly<Record<string, ProcessIdentity>>;
  readonly daemons: Readonly<Record<string, ProcessIdentity>>;
  readonly kubectl: string;
  readonly packages: string;
}

/** The kernel's id of this boot: start times of processes mean nothing in another one. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Reads the record, if a complete one is there. */
export function readRecord(paths: ClusterPaths): ClusterRecord | undefined {
  try {
    return JSON.parse(readFileSync(paths.record, "utf8")) as ClusterRecord;
  } catch {
    return undefined;
  }
}

/** Writes the record such that a reader sees all of it or the one before. */
export async function writeRecord(paths: ClusterPaths, record: ClusterRecord): Promise<void> {
  await writeFile(`${paths.record}.unfinished`, JSON.stringify(record, undefined, 2), { mode: 0o600 });
  await rename(`${paths.record}.unfinished`, paths.record);
}

/** Names of recorded processes that no longer run. */
export function deadProcesses(record: ClusterRecord): readonly string[] {
  const all = Object.entries({ ...record.inits, ...record.daemons });
  if (record.bootId !== bootId()) return all.map(([name]) => name);
  return all.filter(([, identity]) => !isAlive(identity)).map(([name]) => name);
}
