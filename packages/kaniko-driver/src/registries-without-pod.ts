import { createServiceDialer, keychainCall, serviceOf, type Cluster } from "@slipway/cluster";
import type { DriverCall } from "@slipway/core";

import { buildKeychain } from "./build-keychain.ts";
import { BuildRegistries } from "./build-registries.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** The registries of builds, asked while no pod of a build runs: those inside the cluster are reached through their own pods. */
export async function registriesWithoutPod(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  call: Pick<DriverCall, "signal" | "emit" | "credentials">,
): Promise<BuildRegistries> {
  const dial = createServiceDialer(cluster);
  const credentials = await buildKeychain(options, call.credentials);
  return new BuildRegistries({ options, credentials, keychainCall: keychainCall(cluster, call) }, (registry) =>
    serviceOf(registry.replace(/:\d+$/, ""), cluster.namespace) === undefined ? undefined : dial,
  );
}
