import { createHash } from "node:crypto";

import type { Secret } from "@slipway/cluster";

import type { ImagePullSecret } from "../projections/image-pull-secrets.ts";

/** By which these Secrets are found again. */
export const pullSecretLabels = {
  "app.kubernetes.io/managed-by": "slipway",
  "app.kubernetes.io/component": "pull-secret",
} as const;

/** Says which registry and path a Secret is for. */
const registryAnnotation = "slipway.dev/registry";
const keyLabel = "slipway.dev/registry-hash";

/** Whose Secrets they are: those of different accounts and builders have different credentials, also for one registry. */
export interface PullSecretOwner {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Who keeps them in step. */
  readonly owner: string;
}

/**
 * The Secret for one credential. Its name follows from its owner, the registry and the path, so that whoever serves the same account as the same owner brings
 * the same object in step, and takes nothing away from others.
 */
export function pullSecretObject(
  { key, index, auths }: ImagePullSecret,
  owner: PullSecretOwner,
  labels: Readonly<Record<string, string>> = {},
): Secret & { metadata: { name: string } } {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      name: pullSecretName({ key, index }, owner),
      namespace: owner.namespace,
      labels: { ...labels, ...pullSecretLabels, [keyLabel]: keyHash(key, owner) },
      annotations: { [registryAnnotation]: key },
    },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") },
  };
}

/** What the Secret for one credential of a key is called. */
export function pullSecretName({ key, index }: Pick<ImagePullSecret, "key" | "index">, owner: PullSecretOwner): string {
  const readable = key
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  const parts = ["slipway-pull", readable, keyHash(key, owner), ...(index === 0 ? [] : [String(index)])];
  return parts.filter(Boolean).join("-");
}

/** The selector for these Secrets, whoever keeps them in step. */
export const pullSecretSelector = Object.entries(pullSecretLabels)
  .map(([name, value]) => `${name}=${value}`)
  .join(",");

/** Which registry and path a Secret is for; `undefined` if it is another owner's. */
export function pullSecretKey({ metadata }: Pick<Secret, "metadata">, owner: PullSecretOwner): string | undefined {
  const key = metadata?.annotations?.[registryAnnotation];
  return key !== undefined && metadata?.labels?.[keyLabel] === keyHash(key, owner) ? key : undefined;
}

/** Whether a Secret is one of these. */
export function isPullSecret({ metadata }: Pick<Secret, "metadata">): boolean {
  return Object.entries(pullSecretLabels).every(([name, value]) => metadata?.labels?.[name] === value);
}

function keyHash(key: string, { serviceAccount, owner }: PullSecretOwner): string {
  return createHash("sha256").update([owner, serviceAccount, key].join("\n")).digest("hex").slice(0, 10);
}
