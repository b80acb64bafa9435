import type { Cluster, Secret, ServiceAccount } from "@slipway/cluster";
import { BuilderError, invalidOptions } from "@slipway/core";
import type { Keychain, KeychainCall } from "@slipway/core";

import { imagePullSecretData } from "../projections/image-pull-secrets.ts";
import { updateReferences } from "./account-references.ts";
import type { ReferenceChange } from "./account-references.ts";
import { obsoleteSecrets } from "./obsolete-secrets.ts";
import { isPullSecret, pullSecretObject } from "./pull-secret-object.ts";

/** Who shall be able to pull what. */
export interface EnsurePullableOptions {
  /** Where the pods run. */
  readonly namespace: string;
  /** The account that they run under. @defaultValue `"default"` */
  readonly serviceAccount?: string | undefined;
  /** Full references, `registry/repository[:tag][@digest]`, or registries. */
  readonly images: readonly string[];
  readonly keychain: Keychain;
  /** Names that nodes know registries by: `{ "127.0.0.1:30500": "registry.builds.svc:5000" }`. @defaultValue none */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Who keeps the Secrets in step: with another name they are other Secrets. @defaultValue `"slipway"` */
  readonly owner?: string | undefined;
  /** Further labels of the Secrets. @defaultValue none */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** How long the account may take to appear, in milliseconds: Kubernetes makes the default one some time after its namespace. @defaultValue 30,000 */
  readonly accountTimeoutMs?: number | undefined;
}

/** The Secrets that the account pulls with now, and what a node will not be able to use. */
export interface EnsurePullableResult {
  readonly secrets: readonly string[];
  readonly warnings: readonly string[];
}

/** What is done to a cluster. */
export type PullableCluster = Pick<Cluster, "get" | "list" | "apply" | "patch" | "delete" | "waitFor" | "server">;

/** The permissions that {@link ensurePullable} needs in the namespace of the pods. */
export const pullableRbac = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "create", "patch", "delete"] },
  { apiGroups: [""], resources: ["serviceaccounts"], verbs: ["get", "list", "watch", "patch"] },
] as const;

/**
 * Lets pods of a ServiceAccount pull images: copies what the keychain knows about them into Secrets of the namespace, one for each credential, and
 * names these in the account. What is there already is brought in step, so that it can be called at each build: a Secret whose credentials the keychain does not have
 * any more for these images is removed. Entries of others stay.
 *
 * @throws `INVALID_OPTIONS` if the account does not exist, or if a Secret of somebody else has the name of one of these; `FORBIDDEN` without the
 * permissions in {@link pullableRbac}
 */
export async function ensurePullable(
  cluster: PullableCluster,
  options: EnsurePullableOptions,
  call: KeychainCall,
): Promise<EnsurePullableResult> {
  const { namespace, serviceAccount = "default", owner: name = "slipway", images, keychain, aliases, labels } = options;
  const owner = { namespace, serviceAccount, owner: name };
  const { secrets, warnings } = await imagePullSecretData({ keychain, images, aliases }, call);
  const objects = secrets.map((secret) => pullSecretObject(secret, owner, labels));
  await Promise.all(objects.map((object) => applySecret(cluster, object, call)));
  const wanted = objects.map(({ metadata }) => metadata.name);
  const obsolete = await obsoleteSecrets(cluster, { owner, wanted, keychain, images, aliases }, call);
  const account = { namespace, name: serviceAccount, timeoutMs: options.accountTimeoutMs ?? 30_000 };
  await updateAccount(cluster, account, { wanted, obsolete }, call);
  // Only now does no pod that starts name them any more.
  for (const secret of obsolete)
    await cluster.delete({ apiVersion: "v1", kind: "Secret", namespace, name: secret }, call);
  return { secrets: wanted, warnings };
}

async function applySecret(
  cluster: PullableCluster,
  object: ReturnType<typeof pullSecretObject>,
  { signal }: KeychainCall,
): Promise<void> {
  const { name, namespace } = object.metadata;
  const reference = { apiVersion: "v1", kind: "Secret", namespace, name };
  const existing = await cluster.get<Secret>(reference, { signal });
  if (existing !== undefined && !isPullSecret(existing)) {
    const message = `Secret ${namespace ?? ""}/${name} is not one that Slipway has made. Rename or delete it`;
    throw invalidOptions("ensurePullable", [{ path: "namespace", message }]);
  }
  if (existing !== undefined && isInStep(existing, object)) return;
  await cluster.apply<Secret>(object, { signal });
}

function isInStep(existing: Secret, wanted: Secret): boolean {
  const key = ".dockerconfigjson";
  const labels = Object.entries(wanted.metadata?.labels ?? {});
  return (
    existing.data?.[key] === wanted.data?.[key] &&
    labels.every(([name, value]) => existing.metadata?.labels?.[name] === value)
  );
}

interface Account {
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
}

const attempts = 5;

/** The list is one value to Kubernetes, so it is written on condition that nobody has changed the account meanwhile. */
async function updateAccount(
  cluster: PullableCluster,
  account: Account,
  change: ReferenceChange,
  { signal }: KeychainCall,
): Promise<void> {
  const { apiStatusOf } = await import("@slipway/cluster");
  const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace: account.namespace, name: account.name };
  for (let attempt = 1; ; attempt += 1) {
    const { metadata, imagePullSecrets = [] } = await readAccount(cluster, account, signal);
    const names = updateReferences(
      imagePullSecrets.flatMap(({ name }) => name ?? []),
      change,
    );
    if (names === undefined) return;
    const resourceVersion = metadata?.resourceVersion;
    const patch = { metadata: { resourceVersion }, imagePullSecrets: names.map((name) => ({ name })) };
    try {
      await cluster.patch<ServiceAccount>(reference, patch, { signal });
      return;
    } catch (error) {
      if (attempt === attempts || apiStatusOf(error)?.reason !== "Conflict") throw error;
    }
  }
}

async function readAccount(
  cluster: PullableCluster,
  { namespace, name, timeoutMs }: Account,
  signal: AbortSignal,
): Promise<ServiceAccount> {
  const resource = { apiVersion: "v1", kind: "ServiceAccount", namespace };
  const present = await cluster.get<ServiceAccount>({ ...resource, name }, { signal });
  if (present !== undefined) return present;
  try {
    const fieldSelector = `metadata.name=${name}`;
    return await cluster.waitFor<ServiceAccount, ServiceAccount>(resource, {
      ...{ fieldSelector, timeoutMs, signal },
      until: ([account]) => account,
    });
  } catch (error) {
    if (!BuilderError.isInstance(error) || error.code !== "TIMEOUT" || signal.aborted) throw error;
    const message = `ServiceAccount ${namespace}/${name} does not exist in ${cluster.server}. Create it, or name another one`;
    throw invalidOptions("ensurePullable", [{ path: "serviceAccount", message }]);
  }
}
