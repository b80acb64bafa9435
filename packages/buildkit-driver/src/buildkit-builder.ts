import { hostname } from "node:os";

import type { Cluster, Deployment, ObjectReference, Pod } from "@slipway/cluster";
import type {
  BuildRequest,
  BuilderStatus,
  DiskUsage,
  DriverBuildResult,
  DriverCall,
  FoundImage,
  ImageIdentity,
  ImageQuery,
  PruneOptions,
  PruneResult,
  PublishOptions,
  PublishResult,
  PullableOptions,
  PullableResult,
} from "@slipway/core";
import { BuiltImages } from "@slipway/core";

import { builderStatus, type DaemonReport } from "./builder-node.ts";
import { checkOwner } from "./builder-owner.ts";
import { BuilderPods } from "./builder-pods.ts";
import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import type { BuildkitConnection } from "./dial-buildkit.ts";
import { keychainCall, withSleepingBuilder } from "./keychain-call.ts";
import { orderedKeychain } from "./ordered-keychain.ts";
import type { RegistrySite } from "./pod-registries.ts";
import { prepareContextOf } from "./prepare-context.ts";
import { PullableTargets } from "./pullable-targets.ts";
import { sharedKey } from "./shared-key.ts";
import { builderSelector } from "./workload.ts";

/** The driver's work, behind the value that {@link buildkitDriver} makes. */
export class BuildkitBuilder {
  readonly #options: ResolvedBuildkitDriverOptions;
  readonly #pods: BuilderPods;
  readonly #built = new BuiltImages((request, options) => this.identify(request, options));
  readonly #pullable: PullableTargets;

  constructor(options: ResolvedBuildkitDriverOptions) {
    this.#options = options;
    this.#pods = new BuilderPods(options);
    this.#pullable = new PullableTargets(options);
  }

  async build(request: BuildRequest, call: DriverCall): Promise<DriverBuildResult> {
    const startedMs = Date.now();
    // In another thread: a build without changes waits for the walk through its context and for nothing else of its files.
    const preparing = prepareContextOf(request).catch(() => undefined);
    try {
      const cluster = await this.#pods.cluster();
      const choosing = this.#pods.choose(sharedKey(request.context, hostname()) || request.id, call);
      // While the cluster answers there is time to load the code that talks to registries.
      const [target, { buildImage }] = await Promise.all([choosing, import("./build-image.ts")]);
      const connection = this.#pods.dial(target.name, call);
      const site = { cluster, target, connection, registries: this.#options.registries, context: preparing };
      const ordered = { ...call, credentials: orderedKeychain(call.credentials) };
      const built = await buildImage(site, request, ordered);
      if (built.digest !== undefined) this.#built.add(built.digest, request, startedMs);
      const isPushed = request.outputs.some(({ type }) => type === "push");
      await this.#bringInStep(isPushed ? request.tags : [], site, call);
      return built;
    } finally {
      void preparing.then((prepared) => prepared?.[Symbol.dispose]());
    }
  }

  async publish(options: PublishOptions, call: DriverCall): Promise<PublishResult> {
    const [target, { publishImage }] = await Promise.all([
      this.#pods.choose(options.source, call),
      import("./publish-image.ts"),
    ]);
    const site = { cluster: await this.#pods.cluster(), target, registries: this.#options.registries };
    const ordered = { ...call, credentials: orderedKeychain(call.credentials) };
    const published = await publishImage(options, site, this.#built, ordered);
    if (options.dryRun !== true) await this.#bringInStep(options.destinations, site, call);
    return published;
  }

  async find(query: ImageQuery, call: DriverCall): Promise<FoundImage | undefined> {
    const [cluster, { findInRegistry }] = await Promise.all([this.#pods.cluster(), import("./image-presence.ts")]);
    return findInRegistry(cluster, this.#options, query, call);
  }

  async identify(request: BuildRequest, options?: { readonly unchangedSinceMs: number }): Promise<string> {
    const { identify } = await import("@slipway/context-sync");
    return identify(request, options);
  }

  async recordIdentity(image: ImageIdentity, call: DriverCall): Promise<void> {
    const [cluster, { recordInRegistry }] = await Promise.all([this.#pods.cluster(), import("./image-presence.ts")]);
    await recordInRegistry(cluster, this.#options, image, call);
  }

  async ensurePullable(options: PullableOptions, call: DriverCall): Promise<PullableResult> {
    await this.#pullable.check(options);
    const cluster = await this.#pods.cluster();
    const findPod = async (): Promise<string> => (await this.#pods.ensure(call))[0]?.metadata?.name ?? "";
    return withSleepingBuilder(cluster, { name: this.#options.name, findPod }, call, (keys) =>
      this.#pullable.ensure(options, call.credentials, { cluster, keychainCall: keys }),
    );
  }

  async bootstrap(call: DriverCall): Promise<void> {
    const cluster = await this.#pods.cluster();
    const [pod] = await this.#pods.ensure(call);
    // Ready says that buildctl works in the pod; that a build can reach it takes a connection from here.
    const client = await this.#pods.connect(cluster, pod?.metadata?.name ?? "");
    await client.info(call);
  }

  async status(call: DriverCall): Promise<BuilderStatus> {
    const cluster = await this.#pods.cluster();
    const { name } = this.#options;
    const resource = { apiVersion: "v1", kind: "Pod" };
    const [deployment, pods] = await Promise.all([
      cluster.get<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", name }, call),
      cluster.list<Pod>(resource, { labelSelector: builderSelector(name), signal: call.signal }),
    ]);
    return builderStatus(deployment, pods.items, await this.#reports(pods.items, call));
  }

  async prune(options: PruneOptions, call: DriverCall): Promise<PruneResult> {
    const removed = await this.#onEachPod(({ client }) => client.prune(options, call), call);
    const reclaimedBytes = removed.reduce(
      (sum, { value }) => sum + value.reduce((size, record) => size + record.sizeBytes, 0),
      0,
    );
    return { reclaimedBytes, objects: removed.flatMap(({ name, value }) => value.map(({ id }) => `${name}/${id}`)) };
  }

  async diskUsage(call: DriverCall): Promise<DiskUsage> {
    const usage = await this.#onEachPod(({ client }) => client.diskUsage(call), call);
    const records = usage.flatMap(({ name: node, value }) =>
      value.map(({ id, kind, sizeBytes, inUse, lastUsedMs }) => ({
        ...{ id, node, kind, sizeBytes, inUse },
        ...(lastUsedMs === undefined ? {} : { lastUsedMs }),
      })),
    );
    const sum = (of: typeof records): number => of.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    return { totalBytes: sum(records), reclaimableBytes: sum(records.filter(({ inUse }) => !inUse)), records };
  }

  /** Scales the builder to nothing; the next build starts it again. */
  async stop(call: DriverCall): Promise<void> {
    await this.#endPods(call, (cluster, reference) =>
      cluster.patch(reference, { spec: { replicas: 0 } }, { signal: call.signal }),
    );
  }

  async remove(call: DriverCall): Promise<void> {
    await this.#endPods(call, (cluster, reference) => cluster.delete(reference, { signal: call.signal }));
  }

  close(): Promise<void> {
    return this.#pods.close();
  }

  async #bringInStep(images: readonly string[], { cluster, target }: RegistrySite, call: DriverCall): Promise<void> {
    const keys = keychainCall(cluster, target.name, call);
    await this.#pullable.bringInStep(images, { cluster, keychainCall: keys });
  }

  /** Does something to the Deployment that ends its pods, and waits until they are gone. */
  async #endPods(
    { signal }: DriverCall,
    end: (cluster: Cluster, reference: ObjectReference) => Promise<unknown>,
  ): Promise<void> {
    const cluster = await this.#pods.cluster();
    const { name } = this.#options;
    const reference = { apiVersion: "apps/v1", kind: "Deployment", name };
    const existing = await cluster.get<Deployment>(reference, { signal });
    if (existing === undefined) return;
    checkOwner(existing, name, cluster.namespace);
    await this.#pods.disconnect();
    await end(cluster, reference);
    const until = (pods: readonly Pod[]): true | undefined => (pods.length === 0 ? true : undefined);
    const labelSelector = builderSelector(name);
    await cluster.waitFor<Pod, true>({ apiVersion: "v1", kind: "Pod" }, { labelSelector, signal, until });
  }

  async #reports(pods: readonly Pod[], call: DriverCall): Promise<ReadonlyMap<string, DaemonReport>> {
    const cluster = await this.#pods.cluster();
    const reports = new Map<string, DaemonReport>();
    const ask = async (name: string): Promise<void> => {
      const client = await this.#pods.connect(cluster, name);
      const [info, workers] = await Promise.all([client.info(call), client.listWorkers(call)]);
      reports.set(name, { info, workers });
    };
    // A pod that does not answer is shown without what it would have said.
    await Promise.allSettled(pods.filter(isServing).map((pod) => ask(pod.metadata?.name ?? "")));
    return reports;
  }

  async #onEachPod<Value>(
    operation: (pod: Pick<BuildkitConnection, "client">) => Promise<Value>,
    call: DriverCall,
  ): Promise<readonly { name: string; value: Value }[]> {
    const cluster = await this.#pods.cluster();
    const resource = { apiVersion: "v1", kind: "Pod" };
    const pods = await cluster.list<Pod>(resource, {
      labelSelector: builderSelector(this.#options.name),
      signal: call.signal,
    });
    const running = pods.items.filter(isServing).map((pod) => pod.metadata?.name ?? "");
    return Promise.all(
      running.map(async (name) => ({
        name,
        value: await operation({ client: await this.#pods.connect(cluster, name) }),
      })),
    );
  }
}

function isServing(pod: Pod): boolean {
  return pod.status?.phase === "Running" && pod.metadata?.deletionTimestamp === undefined;
}
