import type { Cluster } from "@slipway/cluster";
import type { DriverCall } from "@slipway/core";
import { findImage, parseImageReference, recordIdentity, type RegistryClient } from "@slipway/registry-client";

import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { registriesWithoutPod, registryAccess } from "./registries-without-pod.ts";

/** What a registry has under a reference. No pod is made for the question: registries inside the cluster are reached through their own. */
export const findInRegistry = inRegistry(findImage);

/** Records in its registry what an image was built from. */
export const recordInRegistry = inRegistry(recordIdentity);

function inRegistry<Subject extends { readonly reference: string }, Answer>(
  ask: (client: RegistryClient, subject: Subject, call: DriverCall) => Promise<Answer>,
) {
  return async (
    cluster: Cluster,
    options: ResolvedKanikoDriverOptions,
    subject: Subject,
    call: DriverCall,
  ): Promise<Answer> => {
    await using registries = registriesWithoutPod(cluster, await registryAccess(cluster, options, call));
    return await ask(registries.client(parseImageReference(subject.reference).registry), subject, call);
  };
}
