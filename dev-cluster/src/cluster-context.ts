import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";

import { type AddressPlan, addressPlan } from "./address-plan.ts";
import { type Cgroups, clusterCgroups } from "./cgroups.ts";
import { type ClusterPaths, cacheFolder, clusterPaths, isClusterName } from "./cluster-paths.ts";
import { ClusterFailure } from "./failure.ts";

/** Which cluster a command is about. */
export interface ClusterChoice {
  /** @defaultValue `"slipway"` */
  readonly name?: string | undefined;
  /** Chooses the address ranges. @defaultValue the one used last, else the first free one */
  readonly index?: number | undefined;
}

/** The default name. */
export const defaultName = "slipway";

/** A cluster's name, files and control groups. */
export interface ClusterSite {
  readonly name: string;
  readonly cache: string;
  readonly paths: ClusterPaths;
  readonly cgroups: Cgroups;
}

/** Finds a cluster's place on this machine; it need not exist. */
export function clusterSite(choice: ClusterChoice = {}): ClusterSite {
  const name = choice.name ?? defaultName;
  if (!isClusterName(name)) {
    throw new ClusterFailure(`"${name}" cannot be a cluster's name.`, {
      remedy: "Use up to 24 lower-case letters, digits and dashes.",
    });
  }
  const cache = cacheFolder();
  const paths = clusterPaths(name, cache);
  return { name, cache, paths, cgroups: clusterCgroups(`slipway-${name}-${paths.id}`) };
}

/** Reads the address plan that was used last. */
export function readPlan(paths: ClusterPaths): AddressPlan | undefined {
  try {
    return addressPlan((JSON.parse(readFileSync(paths.plan, "utf8")) as { index: number }).index);
  } catch {
    return undefined;
  }
}

/** Writes the plan down before anything is made after it, so that whatever is made can be found again. */
export function writePlan(paths: ClusterPaths, plan: AddressPlan): void {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 });
  writeFileSync(`${paths.plan}.unfinished`, JSON.stringify({ index: plan.index }));
  renameSync(`${paths.plan}.unfinished`, paths.plan);
}
