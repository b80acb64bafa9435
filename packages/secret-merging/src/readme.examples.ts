import type { Cluster } from "@slipway/cluster";
import type { KeychainCall } from "@slipway/core";
// #region keychain
import {
  createKeychain,
  dockerConfig,
  ecrCredentials,
  pullSecret,
  serviceAccountSecrets,
  staticCredentials,
} from "@slipway/secret-merging";

const password = process.env["TOKEN"];
const registry = "registry.example.com/team";
const keychain = createKeychain(
  staticCredentials(password ? [{ registry, username: "ci", password, source: "variable TOKEN" }] : []),
  pullSecret({ name: "regcred", namespace: "builds" }),
  serviceAccountSecrets({ name: "default", namespace: "apps" }),
  dockerConfig(),
  ecrCredentials(),
);

export async function whoCanPush(call: KeychainCall): Promise<string[]> {
  const resource = { registry: "registry.example.com", repository: "team/api", actions: ["pull", "push"] } as const;
  const candidates = await keychain.resolve(resource, call);
  return candidates.map(({ source, type }) => `${type} from ${source}`);
}
// #endregion keychain

// #region inspect
import { inspectKeychain } from "@slipway/secret-merging";

export async function printProblems(call: KeychainCall): Promise<void> {
  const { conflicts, problems, unusable } = await inspectKeychain(keychain, call);
  for (const { scope, wins, reason } of conflicts) console.log(`${scope}: ${wins} wins, since ${reason}`);
  for (const { message } of problems) console.log(message);
  for (const { consumer, scope, reason } of unusable) console.log(`${consumer} cannot use ${scope}: ${reason}`);
}
// #endregion inspect

// #region pullable
import { ensurePullable, kubeletCredentials } from "@slipway/secret-merging";

export async function letPodsPull(cluster: Cluster, call: KeychainCall): Promise<string> {
  const image = "127.0.0.1:30500/team/api:v1";
  const aliases = { "127.0.0.1:30500": "registry.builds.svc:5000" };
  const { warnings } = await ensurePullable(cluster, { namespace: "apps", images: [image], keychain, aliases }, call);
  for (const warning of warnings) console.warn(warning);
  const { credentials, failure } = await kubeletCredentials({ image, namespace: "apps" }, call);
  if (failure !== undefined) return `Nodes pull nothing: ${failure.source} ${failure.problem}.`;
  const [first] = credentials;
  return first === undefined ? "Nodes ask anonymously, and get what is public." : `Nodes use ${first.source}.`;
}
// #endregion pullable

// #region without-a-builder
import { connectCluster, keychainReaders } from "@slipway/cluster";

export async function whoCanPull(registry: string, signal: AbortSignal): Promise<string[]> {
  await using cluster = await connectCluster({ context: "staging", namespace: "builds" }, { signal });
  const warn = (message: string): void => console.warn(message);
  const call: KeychainCall = { signal, warn, ...keychainReaders(cluster, signal) };
  const candidates = await keychain.resolve({ registry, actions: ["pull"] }, call);
  return candidates.map(({ source }) => source);
}
// #endregion without-a-builder
