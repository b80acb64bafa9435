import type { SecretData } from "@slipway/core";

import { parseDockerConfigFile, parseLegacyDockerConfig } from "./docker-config-file.ts";
import type { KeychainContent } from "./keychain-content.ts";

const dataKeys = [".dockerconfigjson", "config.json", ".dockercfg"] as const;
const kubeletTypes: Readonly<Record<string, string>> = {
  "kubernetes.io/dockerconfigjson": ".dockerconfigjson",
  "kubernetes.io/dockercfg": ".dockercfg",
};

/** The name of a Secret in diagnostics. */
export function secretSource({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `secret ${namespace}/${name}`;
}

/** Reads what a Secret knows about registries. */
export function readPullSecret(secret: SecretData): KeychainContent {
  const source = secretSource(secret);
  const key = dataKeys.find((candidate) => secret.data[candidate] !== undefined);
  const bytes = key === undefined ? undefined : secret.data[key];
  if (bytes === undefined) {
    const message = `The ${source} of type ${secret.type} has none of the keys ${dataKeys.join(", ")}. Use one of type kubernetes.io/dockerconfigjson`;
    return { entries: [], problems: [{ source, message }] };
  }
  const text = Buffer.from(bytes).toString("utf8");
  const { entries, problems } =
    key === ".dockercfg" ? parseLegacyDockerConfig(text, source) : parseDockerConfigFile(text, source);
  const unknownToKubelet = kubeletTypes[secret.type] !== key;
  return { entries: entries.map((entry) => ({ ...entry, unknownToKubelet })), problems };
}
