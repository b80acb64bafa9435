import type { Cluster, ClusterCall, Pod } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import type { PodTarget } from "./run-in-pod.ts";

/** The pods of a Job of the name that take work, by the uid of the Job: with a workspace that runs, nothing has to be waited for. */
export async function readyPods(
  cluster: Cluster,
  namespace: string,
  name: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { isPodReady, podsOfJob } = await import("@slipway/cluster");
  const kind = { apiVersion: "v1", kind: "Pod", namespace };
  const { items } = await cluster.list<Pod>(kind, { labelSelector: podsOfJob(name), signal });
  return new Map(
    items
      .filter(isPodReady)
      .flatMap(({ metadata }) => (metadata?.ownerReferences ?? []).map(({ uid }) => [uid, metadata?.name ?? ""])),
  );
}

/** The pod of a workspace at present: its Job puts another one in the place of one that is lost. */
export class WorkspacePod implements PodTarget {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly #job: { readonly name: string; readonly uid: string };
  #pod: string;

  constructor(
    cluster: Cluster,
    job: { readonly namespace: string; readonly name: string; readonly uid: string },
    pod: string,
  ) {
    this.cluster = cluster;
    this.namespace = job.namespace;
    this.#job = job;
    this.#pod = pod;
  }

  get pod(): string {
    return this.#pod;
  }

  /** Does once more what has failed, if another pod has come meanwhile. */
  async orNext<Result>(act: () => Promise<Result>, { signal }: ClusterCall = {}): Promise<Result> {
    const asked = this.#pod;
    try {
      return await act();
    } catch (error) {
      if (signal?.aborted || !BuilderError.from(error).retryable) throw error;
      const { name, uid } = this.#job;
      // Who cannot be asked has another pod for nobody.
      const ready = await readyPods(this.cluster, this.namespace, name, signal).catch(() => undefined);
      const next = ready?.get(uid);
      if (next === undefined || next === asked) throw error;
      this.#pod = next;
      return await act();
    }
  }
}
