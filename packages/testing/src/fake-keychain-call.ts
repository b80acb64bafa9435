import { invalidOptions } from "@slipway/core";
import type { DriverCall, KeychainCall, NameInCluster } from "@slipway/core";

import type { FakeCluster } from "./fake-cluster.ts";

type FakeObjects = Pick<FakeCluster, "secrets" | "serviceAccounts">;

/** What a keychain may do in a fake cluster, whose builder is in the namespace `default`. */
export function fakeKeychainCall(
  cluster: FakeObjects,
  { signal, emit }: Pick<DriverCall, "signal" | "emit">,
): KeychainCall {
  const { secrets, serviceAccounts } = cluster;
  const encoder = new TextEncoder();
  return {
    signal,
    warn: (message) => emit({ type: "warning", message }),
    readSecret: async ({ name, namespace = "default" }) => {
      refuseIfEmpty(cluster, "secret", { namespace, name });
      const secret = secrets.get(`${namespace}/${name}`);
      if (secret === undefined) return undefined;
      const data = Object.entries(secret.data).map(
        ([key, value]) => [key, typeof value === "string" ? encoder.encode(value) : value] as const,
      );
      return { namespace, name, type: secret.type ?? "Opaque", data: Object.fromEntries(data) };
    },
    readServiceAccount: async ({ name, namespace = "default" }) => {
      refuseIfEmpty(cluster, "service account", { namespace, name });
      const account = serviceAccounts.get(`${namespace}/${name}`);
      if (account === undefined) return undefined;
      return { namespace, name, imagePullSecrets: account.imagePullSecrets };
    },
  };
}

/** What to add, for each kind of object. */
const remedies = {
  secret: (key: string) => `driver.cluster.secrets.set("${key}", { data: { "config.json": … } })`,
  "service account": (key: string) => `driver.cluster.serviceAccounts.set("${key}", { imagePullSecrets: […] })`,
};

/**
 * A cluster into which nobody has put anything is none to read from. In any other one the keychain knows what it means that something is missing.
 *
 * @throws `INVALID_OPTIONS`
 */
function refuseIfEmpty(
  { secrets, serviceAccounts }: FakeObjects,
  kind: keyof typeof remedies,
  { namespace, name }: Required<NameInCluster>,
): void {
  if (secrets.size + serviceAccounts.size > 0) return;
  const key = `${namespace}/${name}`;
  const message = `The fake driver's cluster is empty, and the ${kind} ${key} is asked for. Put it there: ${remedies[kind](key)}`;
  throw invalidOptions("credentials", [{ path: `${kind} ${key}`, message }]);
}
