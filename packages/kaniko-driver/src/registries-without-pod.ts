import { createServiceDialer, keychainCall, serviceOf, type Cluster } from "@slipway/cluster";
import type { DriverCall } from "@slipway/core";

import { buildKeychain } from "./build-keychain.ts";
import { BuildRegistries, type RegistryAccessPlan } from "./build-registries.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** How the registries of builds are reached, with the credentials of a call. */
export async function registryAccess(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  call: Pick<DriverCall, "signal" | "emit" | "credentials">,
): Promise<RegistryAccessPlan> {
  const credentials = await buildKeychain(options, call.credentials);
  return { options, credentials, keychainCall: keychainCall(cluster, call) };
}

/** The registries of builds, asked while no pod of a build runs: those inside the cluster are reached through their own pods. */
export function registriesWithoutPod(cluster: Cluster, access: RegistryAccessPlan): BuildRegistries {
  const dial = createServiceDialer(cluster);
  return new BuildRegistries(access, (registry) =>
    serviceOf(registry.replace(/:\d+$/, ""), cluster.namespace) === undefined ? undefined : dial,
  );
}
