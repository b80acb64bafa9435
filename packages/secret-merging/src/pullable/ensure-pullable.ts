import type { Cluster, Secret, ServiceAccount } from "@slipway/cluster";
import { BuilderError, invalidOptions } from "@slipway/core";
import type { KeychainCall } from "@slipway/core";

import { imagePullSecretData, pulledImages } from "../projections/image-pull-secrets.ts";
import type { ImagePullSecretOptions } from "../projections/image-pull-secrets.ts";
import { updateReferences } from "./account-references.ts";
import type { ReferenceChange } from "./account-references.ts";
import { obsoleteSecrets } from "./obsolete-secrets.ts";
import { isPullSecret, pullSecretObject } from "./pull-secret-object.ts";

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
  const { images, aliases, registries } = options;
  const names = { images, aliases, registries };
  const owner = { namespace, serviceAccount, owner: name };
  const account = { namespace, name: serviceAccount, timeoutMs: options.accountTimeoutMs ?? 30_000 };
  pulledImages(names);
  // Without the account the Secrets would serve nobody.
  await readAccount(cluster, account, call.signal);
  const { secrets, warnings } = await imagePullSecretData({ keychain, anonymous, ...names }, call);
  const objects = secrets.map((secret) => pullSecretObject(secret, owner, labels));
  const wanted = objects.map(({ metadata }) => metadata.name);
  const created: string[] = [];
  /** Whoever is refused this is refused it the next time, too. After all else the next call finds the Secrets, and so may one that is at work now. */
  const takeBack = async (work: () => Promise<void>, refusals: readonly string[]): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (BuilderError.isInstance(error) && refusals.includes(error.code))
        await removeUnnamed(cluster, account, created, call);
      throw error;
    }
  };
  const writeSecrets = async (): Promise<void> => {
    const writing = objects.map(async (object) => {
      if (await applySecret(cluster, object, call)) created.push(object.metadata.name);
    });
    // All of them end before it is known what there is to take back.
    await Promise.allSettled(writing);
    await Promise.all(writing);
  };
  // A quota is FORBIDDEN too: it may leave room for what another call is about to name.
  await takeBack(writeSecrets, ["INVALID_OPTIONS"]);
  const nameSecrets = async (): Promise<void> => {
    const obsolete = await obsoleteSecrets(cluster, { owner, wanted, keychain, ...names }, call);
    await updateAccount(cluster, account, { wanted, obsolete }, call);
    // Only now does no pod that starts name them any more.
    for (const secret of obsolete)
      await cluster.delete({ apiVersion: "v1", kind: "Secret", namespace, name: secret }, call);
  };
  await takeBack(nameSecrets, ["INVALID_OPTIONS", "FORBIDDEN"]);
  return { secrets: wanted, warnings };
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

/** @returns whether it has created the Secret */
async function applySecret(
  cluster: PullableCluster,
  object: ReturnType<typeof pullSecretObject>,
  { signal }: KeychainCall,
): Promise<boolean> {
  const { name, namespace } = object.metadata;
  const reference = { apiVersion: "v1", kind: "Secret", namespace, name };
  const existing = await cluster.get<Secret>(reference, { signal });
  if (existing !== undefined && !isPullSecret(existing)) {
    const message = `Secret ${namespace ?? ""}/${name} is not one that Slipway has made. Rename or delete it`;
    throw invalidOptions("ensurePullable", [{ path: "namespace", message }]);
  }
  if (existing !== undefined && isInStep(existing, object)) return false;
  await cluster.apply<Secret>(object, { signal });
  return existing === undefined;
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
  await requireNamespace(cluster, namespace, signal);
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

/** In a namespace that is not there nothing appears; who may not know goes on to wait. @throws `NAMESPACE_NOT_FOUND` */
async function requireNamespace(cluster: PullableCluster, namespace: string, signal: AbortSignal): Promise<void> {
  try {
    if ((await cluster.get({ apiVersion: "v1", kind: "Namespace", name: namespace }, { signal })) !== undefined) return;
  } catch (error) {
    if (BuilderError.isInstance(error) && error.code === "FORBIDDEN") return;
    throw error;
  }
  throw new BuilderError({
    code: "NAMESPACE_NOT_FOUND",
    message: `Namespace "${namespace}" does not exist at ${cluster.server}. Create it with \`kubectl create namespace ${namespace}\`, or name another one.`,
    details: { namespace },
  });
}
