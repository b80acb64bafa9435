import type { BuildkitClient } from "@slipway/buildkit-client";
import { connectCluster, type Cluster, type Pod } from "@slipway/cluster";
import { unlessAborted, type DriverCall } from "@slipway/core";

import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import { chooseRandom, chooseSticky } from "./choose-pod.ts";
import { Connections } from "./connections.ts";
import { dialBuildkit, type BuildkitConnection } from "./dial-buildkit.ts";
import { ensureBuilder } from "./ensure-builder.ts";

/** A pod that is ready to build. */
export interface BuilderPod {
  readonly pod: Pod;
  readonly name: string;
}

/** The cluster, the builder's pods in it, and this process's connections to them. */
export class BuilderPods {
  readonly #options: ResolvedBuildkitDriverOptions;
  readonly #connections = new Connections();
  readonly #lifetime = new AbortController();
  #cluster: Promise<Cluster> | undefined;

  constructor(options: ResolvedBuildkitDriverOptions) {
    this.#options = options;
  }

  /** The connection to the cluster, opened at first use. */
  async cluster(): Promise<Cluster> {
    const { kubeconfig, context, namespace } = this.#options;
    this.#cluster ??= connectCluster({ kubeconfig, context, namespace });
    try {
      return await this.#cluster;
    } catch (error) {
      this.#cluster = undefined;
      throw error;
    }
  }

  /** Makes the builder ready and resolves with its pods. */
  async ensure(call: Pick<DriverCall, "signal" | "emit" | "logger">): Promise<readonly Pod[]> {
    const cluster = await this.cluster();
    return ensureBuilder(cluster, cluster.namespace, this.#options, call);
  }

  /** A ready pod for a build. */
  async choose(key: string, call: Pick<DriverCall, "signal" | "emit" | "logger">): Promise<BuilderPod> {
    const pods = new Map((await this.ensure(call)).map((pod) => [pod.metadata?.name ?? "", pod]));
    const names = [...pods.keys()].sort();
    const name = this.#options.loadBalance === "sticky" ? chooseSticky(names, key) : chooseRandom(names, Math.random());
    const pod = pods.get(name ?? "");
    if (name === undefined || pod === undefined) throw new Error("no pod is ready");
    call.emit({ type: "pod-phase", pod: name, phase: "running", ...nodeOf(pod) });
    return { pod, name };
  }

  /** The connection to a pod, whose daemon may not have answered yet. */
  async dial(name: string, { signal }: Pick<DriverCall, "signal">): Promise<BuildkitConnection> {
    return unlessAborted(this.#connection(await this.cluster(), name), signal);
  }

  /** The connection to a pod whose daemon has answered. */
  async connect(cluster: Cluster, name: string): Promise<BuildkitClient> {
    const { client, answered } = await this.#connection(cluster, name);
    await answered;
    return client;
  }

  /** It outlives the build that opened it, so no call's signal may end it. */
  #connection(cluster: Cluster, name: string): Promise<BuildkitConnection> {
    const { signal } = this.#lifetime;
    return this.#connections.get(name, () => dialBuildkit(cluster, { namespace: cluster.namespace, name }, { signal }));
  }

  /** Closes the connections to the pods. */
  disconnect(): Promise<void> {
    return this.#connections.close();
  }

  /** Lets go of everything that this process holds; the pods stay. */
  async close(): Promise<void> {
    await this.disconnect();
    this.#lifetime.abort();
    const cluster = await this.#cluster?.catch(() => undefined);
    await cluster?.close();
  }
}

function nodeOf(pod: Pod): { node?: string } {
  const node = pod.spec?.nodeName;
  return node === undefined ? {} : { node };
}
