import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Where everything that is built or downloaded lies: `SLIPWAY_CACHE`, or `~/.cache/slipway`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env["SLIPWAY_CACHE"] ?? join(homedir(), ".cache", "slipway"));
}

/** The files of one cluster. All of them lie in `root`, so that removing that folder removes the cluster's state. */
export interface ClusterPaths {
  readonly root: string;
  /** Identifies this cluster on the machine: it depends on the name and on the cache folder. */
  readonly id: string;
  readonly plan: string;
  readonly record: string;
  readonly kubeconfig: string;
  readonly pki: string;
  readonly config: string;
  readonly logs: string;
  readonly volumes: string;
  readonly registry: string;
  readonly lock: string;
}

/** Lays out the state folder of the cluster `name` in the cache folder `cache`. */
export function clusterPaths(name: string, cache: string = cacheFolder()): ClusterPaths {
  const root = join(cache, "clusters", name);
  return {
    root,
    id: createHash("sha256").update(root).digest("hex").slice(0, 8),
    plan: join(root, "plan.json"),
    record: join(root, "cluster.json"),
    kubeconfig: join(root, "kubeconfig"),
    pki: join(root, "pki"),
    config: join(root, "config"),
    logs: join(root, "logs"),
    volumes: join(root, "volumes"),
    registry: join(root, "registry"),
    lock: join(cache, "locks", `cluster-${name}`),
  };
}

const namePattern = /^[a-z]([a-z0-9-]{0,22}[a-z0-9])?$/;

/** Whether `name` may name a cluster: it becomes part of file, cgroup and context names. */
export function isClusterName(name: string): boolean {
  return namePattern.test(name);
}
