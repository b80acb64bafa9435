import type { Cluster, Secret, ServiceAccount } from "@slipway/cluster";
import { BuilderError, invalidOptions } from "@slipway/core";
import type { BuilderErrorCode, KeychainCall } from "@slipway/core";

import { pulledImages, pullSecretsOf } from "../projections/image-pull-secrets.ts";
import type { ImagePullSecretOptions } from "../projections/image-pull-secrets.ts";
import { obsoleteSecrets } from "./obsolete-secrets.ts";
import { isPullSecret, pullSecretObject } from "./pull-secret-object.ts";
import type { Account } from "./pulling-account.ts";
import { readAccount, updateAccount } from "./pulling-account.ts";

/** Who shall be able to pull what. */
export interface EnsurePullableOptions extends ImagePullSecretOptions {
  /** Where the pods run. */
  readonly namespace: string;
  /** The account that they run under. @defaultValue `"default"` */
  readonly serviceAccount?: string | undefined;
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
 * @throws `INVALID_OPTIONS` for what is neither an image nor a registry, if the account does not exist, or if a Secret of somebody else has the name
 * of one of these; `NAMESPACE_NOT_FOUND`; `FORBIDDEN` without the permissions in {@link pullableRbac}
 */
export async function ensurePullable(
  cluster: PullableCluster,
  options: EnsurePullableOptions,
  call: KeychainCall,
): Promise<EnsurePullableResult> {
  const { namespace, serviceAccount = "default", owner: name = "slipway", labels, anonymous, keychain } = options;
  const owner = { namespace, serviceAccount, owner: name };
  const account = { namespace, name: serviceAccount, timeoutMs: options.accountTimeoutMs ?? 30_000 };
  const pulled = pulledImages(options);
  // Without the account the Secrets would serve nobody.
  await readAccount(cluster, account, call.signal);
  const { secrets, warnings } = await pullSecretsOf(pulled, { keychain, anonymous }, call);
  const objects = secrets.map((secret) => pullSecretObject(secret, owner, labels));
  const wanted = objects.map(({ metadata }) => metadata.name);
  const created = await applySecrets(cluster, objects, account, call);
  try {
    const obsolete = await obsoleteSecrets(cluster, { owner, wanted, keychain, pulled }, call);
    await updateAccount(cluster, account, { wanted, obsolete }, call);
    // Only now does no pod that starts name them any more.
    for (const secret of obsolete)
      await cluster.delete({ apiVersion: "v1", kind: "Secret", namespace, name: secret }, call);
  } catch (error) {
    // Whoever is refused this is refused it the next time, too. After all else the next call finds the Secrets, and so may one that is at work now.
    if (isRefusal(error, ["INVALID_OPTIONS", "FORBIDDEN"])) await removeUnnamed(cluster, account, created, call);
    throw error;
  }
  return { secrets: wanted, warnings };
}

function isRefusal(error: unknown, codes: readonly BuilderErrorCode[]): boolean {
  return BuilderError.isInstance(error) && codes.includes(error.code);
}

type PullSecretObject = ReturnType<typeof pullSecretObject>;

/** Brings Secrets in step, unless one of them is somebody else's. @returns the names of those that were not there */
async function applySecrets(
  cluster: PullableCluster,
  objects: readonly PullSecretObject[],
  account: Account,
  call: KeychainCall,
): Promise<readonly string[]> {
  const { signal } = call;
  const present = await Promise.all(objects.map((object) => readSecret(cluster, object, signal)));
  // All of them end before it is known what there is to take back.
  const written = await Promise.allSettled(
    objects.map(async (object, index) => {
      if (!isInStep(present[index], object)) await cluster.apply<Secret>(object, { signal });
      return present[index] === undefined ? [object.metadata.name] : [];
    }),
  );
  const created = written.flatMap((outcome) => (outcome.status === "fulfilled" ? outcome.value : []));
  const failure = written.find((outcome) => outcome.status === "rejected");
  if (failure === undefined) return created;
  // A quota is FORBIDDEN: it may leave room for what another call is about to name.
  if (isRefusal(failure.reason, ["INVALID_OPTIONS"])) await removeUnnamed(cluster, account, created, call);
  throw failure.reason;
}

/** @throws `INVALID_OPTIONS` for a Secret of somebody else */
async function readSecret(
  cluster: PullableCluster,
  { metadata: { name, namespace } }: PullSecretObject,
  signal: AbortSignal,
): Promise<Secret | undefined> {
  const reference = { apiVersion: "v1", kind: "Secret", namespace, name };
  const existing = await cluster.get<Secret>(reference, { signal });
  if (existing === undefined || isPullSecret(existing)) return existing;
  const message = `Secret ${namespace ?? ""}/${name} is not one that Slipway has made. Rename or delete it`;
  throw invalidOptions("ensurePullable", [{ path: "namespace", message }]);
}

/** Takes back what this call has created and no account names. */
async function removeUnnamed(
  cluster: PullableCluster,
  { namespace, name }: Account,
  created: readonly string[],
  { signal }: KeychainCall,
): Promise<void> {
  if (created.length === 0) return;
  try {
    const reference = { apiVersion: "v1", kind: "ServiceAccount", namespace, name };
    const account = await cluster.get<ServiceAccount>(reference, { signal });
    const named = new Set(account?.imagePullSecrets?.map((secret) => secret.name));
    for (const secret of created.filter((candidate) => !named.has(candidate)))
      await cluster.delete({ apiVersion: "v1", kind: "Secret", namespace, name: secret }, { signal });
  } catch {
    // What has failed first is what is told.
  }
}

function isInStep(existing: Secret | undefined, wanted: Secret): boolean {
  const key = ".dockerconfigjson";
  const labels = Object.entries(wanted.metadata?.labels ?? {});
  return (
    existing !== undefined &&
    existing.data?.[key] === wanted.data?.[key] &&
    labels.every(([name, value]) => existing.metadata?.labels?.[name] === value)
  );
}
