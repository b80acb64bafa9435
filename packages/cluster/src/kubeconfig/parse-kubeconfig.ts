import { dirname, isAbsolute, join } from "node:path";

import type { Kubeconfig, KubeconfigCluster, KubeconfigContext, KubeconfigUser } from "./kubeconfig.ts";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function byName<Entry>(document: Record<string, unknown>, list: string, key: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const values = document[list] ?? [];
  if (!Array.isArray(values)) throw new TypeError(`"${list}" is not a list`);
  for (const value of values as readonly unknown[]) {
    if (!isRecord(value) || typeof value.name !== "string") throw new TypeError(`an entry of "${list}" has no name`);
    // kubectl keeps the first of two entries with one name.
    if (!entries.has(value.name)) entries.set(value.name, (isRecord(value[key]) ? value[key] : {}) as Entry);
  }
  return entries;
}

function resolvePaths<Entry extends object>(entry: Entry, keys: readonly string[], folder: string): Entry {
  const resolved: Record<string, unknown> = Object.fromEntries(Object.entries(entry));
  for (const key of keys) {
    const value = resolved[key];
    if (typeof value === "string" && value !== "" && !isAbsolute(value)) resolved[key] = join(folder, value);
  }
  return resolved as Entry;
}

function resolveUser(user: KubeconfigUser, folder: string): KubeconfigUser {
  const resolved = resolvePaths(user, ["client-certificate", "client-key", "tokenFile"], folder);
  const command = resolved.exec?.command;
  // A plugin with a path separator in its name is looked up beside the kubeconfig, a bare one in PATH.
  if (!resolved.exec || !command || !/[/\\]/.test(command) || isAbsolute(command)) return resolved;
  return { ...resolved, exec: { ...resolved.exec, command: join(folder, command) } };
}

/**
 * Reads a parsed YAML document as a kubeconfig and makes the paths in it absolute.
 *
 * @param document - what the YAML parser returned
 * @param path - of the file; relative paths in it are relative to its folder
 * @throws TypeError if the document is not a kubeconfig
 */
export function parseKubeconfig(document: unknown, path: string): Kubeconfig {
  if (!isRecord(document)) throw new TypeError("not a mapping");
  if (document.kind !== undefined && document.kind !== "Config")
    throw new TypeError(`kind is ${JSON.stringify(document.kind)}, not Config`);
  const folder = dirname(path);
  const clusters = byName<KubeconfigCluster>(document, "clusters", "cluster");
  const users = byName<KubeconfigUser>(document, "users", "user");
  for (const [name, cluster] of clusters) clusters.set(name, resolvePaths(cluster, ["certificate-authority"], folder));
  for (const [name, user] of users) users.set(name, resolveUser(user, folder));
  const currentContext = document["current-context"];
  return {
    currentContext: typeof currentContext === "string" && currentContext !== "" ? currentContext : undefined,
    clusters,
    users,
    contexts: byName<KubeconfigContext>(document, "contexts", "context"),
  };
}

/** Merges kubeconfigs as kubectl does: the first file that has a name, or a current context, wins. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  const latestFirst = [...configs].reverse();
  return {
    currentContext: configs.find((config) => config.currentContext !== undefined)?.currentContext,
    clusters: new Map(latestFirst.flatMap((config) => [...config.clusters])),
    users: new Map(latestFirst.flatMap((config) => [...config.users])),
    contexts: new Map(latestFirst.flatMap((config) => [...config.contexts])),
  };
}
