import type { Cluster, Secret } from "@slipway/cluster";
import type { KeychainCall, SecretData } from "@slipway/core";

/** Reads a Secret from the builder's namespace, or from the one that is named. */
export function secretReader(
  cluster: Cluster,
  builderNamespace: string,
  signal: AbortSignal,
): NonNullable<KeychainCall["readSecret"]> {
  return async ({ name, namespace = builderNamespace }): Promise<SecretData | undefined> => {
    const secret = await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", namespace, name }, { signal });
    if (secret === undefined) return undefined;
    const data = Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")] as const);
    return { namespace, name, type: secret.type ?? "Opaque", data: Object.fromEntries(data) };
  };
}
