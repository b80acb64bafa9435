import {
  createServiceDialer,
  isPodReady,
  serviceOf,
  type Cluster,
  type Pod,
  keychainCall as clusterKeychainCall,
} from "@slipway/cluster";
import type { DriverCall, KeychainCall } from "@slipway/core";
import {
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
import { PodRegistries } from "./pod-registries.ts";
import { builderSelector } from "./workload.ts";

/** What a registry has under a reference. A builder that does not run is not started for the question. */
export const findInRegistry = inRegistry(findImage);

/** Records in its registry what an image was built from. */
export const recordInRegistry = inRegistry(recordIdentity);

function inRegistry<Subject extends { readonly reference: string }, Answer>(
  ask: (client: RegistryClient, subject: Subject, call: DriverCall) => Promise<Answer>,
) {
  return async (
    cluster: Cluster,
    { name, registries }: Pick<ResolvedBuildkitDriverOptions, "name" | "registries">,
    subject: Subject,
    call: DriverCall,
  ): Promise<Answer> => {
    const { registry } = parseImageReference(subject.reference);
    const pod = await readyPod(cluster, name, call);
    await using clients = new PodRegistries({
      dial: dialOf(cluster, pod, registry),
      registries,
      credentials: orderedKeychain(call.credentials),
      keychainCall: keysOf(cluster, pod, call),
    });
    return await ask(clients.client(registry), subject, call);
  };
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
  return keychainCall(cluster, pod, call);
}
