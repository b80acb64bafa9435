import {
  createServiceDialer,
  isPodReady,
  serviceOf,
  type Cluster,
  type Pod,
  keychainCall as clusterKeychainCall,
} from "@slipway/cluster";
import type { DriverCall, FoundImage, ImageIdentity, ImageQuery, KeychainCall } from "@slipway/core";
import {
  createRegistryClient,
  createStreamTransport,
  findImage,
  parseImageReference,
  recordIdentity,
  type Dial,
  type RegistryClient,
} from "@slipway/registry-client";

import type { ResolvedBuildkitDriverOptions } from "./buildkit-options.ts";
import { dialFromPod } from "./dial-from-pod.ts";
import { keychainCall } from "./keychain-call.ts";
import { orderedKeychain } from "./ordered-keychain.ts";
import { builderSelector } from "./workload.ts";

type PresenceOptions = Pick<ResolvedBuildkitDriverOptions, "name" | "registries">;

/** What a registry has under a reference. A builder that does not run is not started for the question. */
export async function findInRegistry(
  cluster: Cluster,
  options: PresenceOptions,
  { reference, platforms }: ImageQuery,
  call: DriverCall,
): Promise<FoundImage | undefined> {
  const { signal } = call;
  return withClient(cluster, options, reference, call, (client) => findImage(client, reference, { platforms, signal }));
}

/** Records in its registry what an image was built from. */
export async function recordInRegistry(
  cluster: Cluster,
  options: PresenceOptions,
  { reference, identity }: ImageIdentity,
  call: DriverCall,
): Promise<void> {
  const { signal } = call;
  await withClient(cluster, options, reference, call, (client) =>
    recordIdentity(client, reference, identity, { signal }),
  );
}

async function withClient<Result>(
  cluster: Cluster,
  { name, registries }: PresenceOptions,
  reference: string,
  call: DriverCall,
  ask: (client: RegistryClient) => Promise<Result>,
): Promise<Result> {
  const { registry } = parseImageReference(reference);
  const pod = await readyPod(cluster, name, call);
  const dial = dialOf(cluster, pod, registry);
  const { http, ca, insecure } = registries[registry] ?? {};
  const tls = { ca, insecure };
  await using client = createRegistryClient({
    ...{ registry, http, credentials: orderedKeychain(call.credentials), keychainCall: keysOf(cluster, pod, call) },
    ...(dial === undefined ? tls : { transport: createStreamTransport(dial, { tls }) }),
  });
  return await ask(client);
}

async function readyPod(cluster: Cluster, name: string, { signal }: DriverCall): Promise<string | undefined> {
  const labelSelector = builderSelector(name);
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, { labelSelector, signal });
  return items.find(isPodReady)?.metadata?.name;
}

/** From the builder where it runs; else through the registry's own pod, if it has one in the cluster; else from here. */
function dialOf(cluster: Cluster, pod: string | undefined, registry: string): Dial | undefined {
  const { namespace } = cluster;
  if (pod !== undefined) return (signal, url) => dialFromPod(cluster, { namespace, name: pod }, url, signal);
  return serviceOf(registry.replace(/:\d+$/, ""), namespace) && createServiceDialer(cluster);
}

/** Without a pod there is nobody who could run a credential helper of the cluster. */
function keysOf(cluster: Cluster, pod: string | undefined, call: DriverCall): KeychainCall {
  if (pod === undefined) return clusterKeychainCall(cluster, call);
  return keychainCall(cluster, { namespace: cluster.namespace, name: pod }, call);
}
