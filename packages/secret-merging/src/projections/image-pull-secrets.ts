import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import { isFoundByKubelet } from "../kubelet/kubelet-lookup.ts";
import { canonicalHost } from "../registry-scope.ts";
import { parseImageName } from "./image-name.ts";
import { encodeLogin, loginsUnder, nodeKey } from "./key-logins.ts";

/** Which images nodes shall be able to pull. */
export interface ImagePullSecretOptions {
  readonly keychain: Keychain;
  /** References, `registry/repository[:tag][@digest]` or `team/app` on Docker Hub, or registries: what has no slash is one. */
  readonly images: readonly string[];
  /** Names that nodes know registries by: `{ "127.0.0.1:30500": "registry.builds.svc:5000" }`. @defaultValue none */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
}

/** What the kubelet understands. It holds secrets: it belongs into Secrets and nowhere else. */
export interface ImagePullSecretData {
  /** One for each credential: the kubelet tries all that fit, in the order of the Secrets. */
  readonly secrets: readonly ImagePullSecret[];
  /** What a node will not be able to use, and what ends soon. */
  readonly warnings: readonly string[];
}

/** The content of one Secret of type `kubernetes.io/dockerconfigjson`. */
export interface ImagePullSecret {
  /** Registry, or registry and path, as the node names it: the one key of `auths`. */
  readonly key: string;
  /** Counts the credentials of a key, from 0. */
  readonly index: number;
  readonly auths: Readonly<Record<string, { readonly auth: string }>>;
}

/**
 * Puts what a keychain knows about images into the form that the kubelet reads: user names and passwords, by registry and path. Which keys there are
 * depends on the images, what stands under a key on the keychain alone: builds of different images write the same.
 */
export async function imagePullSecretData(
  { keychain, images, aliases }: ImagePullSecretOptions,
  call: KeychainCall,
): Promise<ImagePullSecretData> {
  const found = new Map<string, { readonly registry: string; readonly logins: string[] }>();
  const warnings = new Set<string>();
  for (const { host, resource } of pulledImages(images, aliases)) {
    for (const credential of await keychain.resolve(resource, call)) {
      const warning = nodeProblem(credential, host);
      if (warning !== undefined) warnings.add(warning);
      if (credential.type !== "basic") continue;
      const key = nodeKey(host, credential);
      const { registry, logins } = found.get(key) ?? { registry: resource.registry, logins: [] };
      found.set(key, { registry, logins: [...logins, encodeLogin(credential)] });
    }
  }
  const secrets: ImagePullSecret[] = [];
  for (const [key, { registry, logins }] of found) {
    // Keychains of others may know whole repositories only.
    const auths = new Set([...(await loginsUnder(key, registry, keychain, call)), ...logins]);
    secrets.push(...[...auths].map((auth, index) => ({ key, index, auths: { [key]: { auth } } })));
  }
  for (const warning of unseenKeys(secrets)) warnings.add(warning);
  return { secrets, warnings: [...warnings] };
}

/** An image, or a whole registry, as a node names it. */
export interface PulledImage {
  /** Letter for letter: to the kubelet `r.io:443` is another registry than `r.io`. */
  readonly host: string;
  readonly repository?: string;
  /** Whose credentials hold. */
  readonly resource: RegistryResource;
}

/** Each image by every name that a node may know it by. */
export function pulledImages(
  images: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): readonly PulledImage[] {
  const byName = new Map<string, PulledImage>();
  const registries = Object.entries(aliases).map(([name, of]) => ({ name, registry: canonicalHost(of) }));
  for (const text of images) {
    const { host, registry: named, ...rest } = parseImageName(text);
    const registry = registries.find(({ name }) => canonicalHost(name) === named)?.registry ?? named;
    const names = registries.flatMap((alias) => (alias.registry === registry ? [alias.name] : []));
    const resource = { registry, ...rest, actions: ["pull" as const] };
    for (const name of new Set([...names, host]))
      byName.set(`${name}/${rest.repository ?? ""}`, { host: name, ...rest, resource });
  }
  return [...byName.values()];
}

function nodeProblem(credential: Credential, registry: string): string | undefined {
  const { type, source, expiresAtMs } = credential;
  if (type === "helper")
    return `Nodes cannot pull from ${registry} with ${source}: they do not run docker-credential-${credential.helper}.`;
  if (type !== "basic")
    return `Nodes cannot pull from ${registry} with ${source}: they know no ${type.replace("-", " ")}s.`;
  if (expiresAtMs === undefined) return undefined;
  const end = new Date(expiresAtMs).toISOString();
  return `What ${source} gives nodes for ${registry} ends at ${end}. Each build and publish renews it; pods that start later need it anew.`;
}

/** Keys that the kubelet files where it does not find them, such as an IPv6 address without a port. */
function unseenKeys(secrets: readonly ImagePullSecret[]): string[] {
  return [...new Set(secrets.map(({ key }) => key))].flatMap((key) => {
    const found = isFoundByKubelet(key, key.includes("/") ? key : `${key}/any`);
    return found ? [] : [`The kubelet does not find credentials for ${key}: it cannot read such a name.`];
  });
}
