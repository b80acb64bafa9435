import type { Cluster } from "@slipway/cluster";
import type { DriverCall, FoundImage, ImageIdentity, ImageQuery } from "@slipway/core";
import { findImage, parseImageReference, recordIdentity, type RegistryClient } from "@slipway/registry-client";

import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { registriesWithoutPod } from "./registries-without-pod.ts";

/** What a registry has under a reference. No pod is made for the question: registries inside the cluster are reached through their own. */
export async function findInRegistry(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  { reference, platforms }: ImageQuery,
  call: DriverCall,
): Promise<FoundImage | undefined> {
  return withClient(cluster, options, reference, call, (client) =>
    findImage(client, reference, { platforms, signal: call.signal }),
  );
}

/** Records in its registry what an image was built from. */
export async function recordInRegistry(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  { reference, identity }: ImageIdentity,
  call: DriverCall,
): Promise<void> {
  await withClient(cluster, options, reference, call, (client) =>
    recordIdentity(client, reference, identity, { signal: call.signal }),
  );
}

async function withClient<Result>(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  reference: string,
  call: DriverCall,
  ask: (client: RegistryClient) => Promise<Result>,
): Promise<Result> {
  await using registries = await registriesWithoutPod(cluster, options, call);
  return await ask(registries.client(parseImageReference(reference).registry));
}
