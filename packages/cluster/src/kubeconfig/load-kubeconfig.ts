import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

import { BuilderError } from "@slipway/core";

import { inClusterTarget } from "./in-cluster.ts";
import type { ConnectionTarget, Kubeconfig } from "./kubeconfig.ts";
import { mergeKubeconfigs, parseKubeconfig } from "./parse-kubeconfig.ts";

/** What chooses a cluster: the options of the caller and the environment of the process. */
export interface KubeconfigSource {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Only tests have another than the user's. */
  readonly homeFolder?: string;
}

function invalid(path: string, message: string, context?: string, cause?: unknown): BuilderError<"KUBECONFIG_INVALID"> {
  return new BuilderError({
    code: "KUBECONFIG_INVALID",
    message,
    details: context === undefined ? { path } : { path, context },
    ...(cause === undefined ? {} : { cause }),
  });
}

async function loadFile(path: string, required: boolean): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !required) return undefined;
    const reason = code === "ENOENT" ? "does not exist" : `cannot be read (${code ?? String(error)})`;
    throw invalid(
      path,
      `The kubeconfig ${path} ${reason}. Check the path in the kubeconfig option or in KUBECONFIG.`,
      undefined,
      error,
    );
  }
  if (text.trim() === "") return undefined;
  const { load } = await import("js-yaml");
  try {
    return parseKubeconfig(load(text), path);
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    // The cause is left out: YAML errors quote the file, and the file holds keys.
    throw invalid(
      path,
      `${path} is not a kubeconfig: ${reason ?? "unreadable"}. Compare it with \`kubectl config view\`.`,
    );
  }
}

/** The files that kubectl would read, in its order; `required` ones must exist. */
function candidateFiles(source: KubeconfigSource): { paths: string[]; required: boolean } {
  if (source.kubeconfig !== undefined) return { paths: [resolve(source.kubeconfig)], required: true };
  const listed = (source.environment.KUBECONFIG ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) return { paths: [...new Set(listed.map((path) => resolve(path)))], required: false };
  return { paths: [join(source.homeFolder ?? homedir(), ".kube", "config")], required: false };
}

/** Picks a context of a kubeconfig and follows its names. */
export function selectContext(config: Kubeconfig, path: string, wanted: string | undefined): ConnectionTarget {
  const name = wanted ?? config.currentContext;
  const known = [...config.contexts.keys()];
  const remedy = known.length > 0 ? `It has: ${known.join(", ")}.` : "It has no contexts.";
  if (name === undefined) throw invalid(path, `${path} has no current-context. Pass the context option. ${remedy}`);
  const context = config.contexts.get(name);
  if (!context) throw invalid(path, `${path} has no context "${name}". ${remedy}`, name);
  const cluster = config.clusters.get(context.cluster);
  if (!cluster)
    throw invalid(
      path,
      `Context "${name}" of ${path} names the cluster "${context.cluster}", which is not there.`,
      name,
    );
  if (!cluster.server) throw invalid(path, `Cluster "${context.cluster}" of ${path} has no server address.`, name);
  if (!URL.canParse(cluster.server))
    throw invalid(path, `Cluster "${context.cluster}" of ${path} has an invalid server address.`, name);
  const user = context.user ? config.users.get(context.user) : {};
  if (!user)
    throw invalid(path, `Context "${name}" of ${path} names the user "${context.user ?? ""}", who is not there.`, name);
  return {
    context: name,
    namespace: context.namespace,
    cluster: { ...cluster, server: cluster.server },
    userName: context.user,
    user,
  };
}

/**
 * Finds the cluster to talk to, as kubectl does: the option, the files in `KUBECONFIG` merged, `~/.kube/config`, and inside a
 * pod its service account.
 *
 * @throws BuilderError with code KUBECONFIG_INVALID
 */
export async function loadConnectionTarget(source: KubeconfigSource): Promise<ConnectionTarget> {
  const { paths, required } = candidateFiles(source);
  const configs: Kubeconfig[] = [];
  for (const path of paths) {
    const config = await loadFile(path, required);
    if (config) configs.push(config);
  }
  const shownPath = paths.join(delimiter);
  if (configs.length > 0) return selectContext(mergeKubeconfigs(configs), shownPath, source.context);
  if (required || source.context !== undefined)
    throw invalid(shownPath, `${shownPath} holds no kubeconfig.`, source.context);
  const inCluster = await inClusterTarget(source.environment);
  if (inCluster) return inCluster;
  throw invalid(
    shownPath,
    `There is no kubeconfig at ${shownPath}, and this process does not run in a pod. Pass the kubeconfig option or set KUBECONFIG.`,
  );
}
