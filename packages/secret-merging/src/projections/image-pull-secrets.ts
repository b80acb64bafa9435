import { credentialPath, invalidOptions } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import { isFoundByKubelet } from "../kubelet/kubelet-lookup.ts";
import { canonicalHost, formatRegistryScope } from "../registry-scope.ts";
import { parseImageName } from "./image-name.ts";
import type { ImageName } from "./image-name.ts";
import { encodeLogin, loginsUnder } from "./key-logins.ts";

/** Images and registries, and what is known about their names. */
export interface PulledImagesOptions {
  /**
   * References, `registry/repository[:tag][@digest]` or `nginx:1` on Docker Hub, or registries. What has no slash is a registry if its host has a dot
   * or is `localhost`, with or without a port, or if `registries` or `aliases` name it; else it is an image.
   */
  readonly images: readonly string[];
  /** Names that nodes know registries by: `{ "127.0.0.1:30500": "registry.builds.svc:5000" }`. @defaultValue none */
  readonly aliases?: Readonly<Record<string, string>> | undefined;
  /** Registries that would be taken for images otherwise: `registry:5000`. @defaultValue none */
  readonly registries?: readonly string[] | undefined;
}

/** Which images nodes shall be able to pull. */
export interface ImagePullSecretOptions extends PulledImagesOptions {
  readonly keychain: Keychain;
  /** What is said of an image that the keychain has nothing for: `"allow"` is for those that may be public. @defaultValue `"warn"` */
  readonly anonymous?: "warn" | "allow" | undefined;
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
 *
 * @throws `INVALID_OPTIONS` for what is neither an image nor a registry
 */
export async function imagePullSecretData(
  { keychain, anonymous, ...names }: ImagePullSecretOptions,
  call: KeychainCall,
): Promise<ImagePullSecretData> {
  return await pullSecretsOf(pulledImages(names), { keychain, anonymous }, call);
}

/** The same of names that have been read. */
export async function pullSecretsOf(
  images: readonly PulledImage[],
  { keychain, anonymous = "warn" }: Pick<ImagePullSecretOptions, "keychain" | "anonymous">,
  call: KeychainCall,
): Promise<ImagePullSecretData> {
  const found = new Map<string, { readonly registry: string; readonly logins: string[] }>();
  const warnings = new Set<string>();
  for (const { image, host, resource } of images) {
    const credentials = await keychain.resolve(resource, call);
    if (credentials.length === 0 && anonymous === "warn") warnings.add(nothingFor(image));
    for (const credential of credentials) {
      const warning = nodeProblem(credential, host);
      if (warning !== undefined) warnings.add(warning);
      if (credential.type !== "basic") continue;
      const key = formatRegistryScope({ host, path: credentialPath(credential) });
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
  /** What led to it, as it was given. */
  readonly image: string;
  /** Letter for letter: to the kubelet `r.io:443` is another registry than `r.io`. */
  readonly host: string;
  readonly repository?: string;
  /** Whose credentials hold. */
  readonly resource: RegistryResource;
}

/**
 * Each image by every name that a node may know it by.
 *
 * @throws `INVALID_OPTIONS` for what is neither an image nor a registry
 */
export function pulledImages({ images, aliases = {}, registries = [] }: PulledImagesOptions): readonly PulledImage[] {
  const byName = new Map<string, PulledImage>();
  const known = [...registries, ...Object.entries(aliases).flat()];
  const aliasOf = Object.entries(aliases).map(([name, of]) => ({ name, registry: canonicalHost(of) }));
  for (const { image, host, registry: named, ...rest } of parseAll(images, known)) {
    const registry = aliasOf.find(({ name }) => canonicalHost(name) === named)?.registry ?? named;
    const names = aliasOf.flatMap((alias) => (alias.registry === registry ? [alias.name] : []));
    const resource = { registry, ...rest, actions: ["pull" as const] };
    for (const name of new Set([...names, host])) {
      const key = `${name}/${rest.repository ?? ""}`;
      byName.set(key, { image: byName.get(key)?.image ?? image, host: name, ...rest, resource });
    }
  }
  return [...byName.values()];
}

function parseAll(images: readonly string[], known: readonly string[]): (ImageName & { readonly image: string })[] {
  const parsed = images.map((image) => ({ image, name: parseImageName(image, known) }));
  const issues = parsed.flatMap(({ name: message }, index) =>
    typeof message === "string" ? [{ path: `images[${index}]`, message }] : [],
  );
  if (issues.length > 0) throw invalidOptions("pull secrets", issues);
  return parsed.flatMap(({ image, name }) => (typeof name === "string" ? [] : [{ image, ...name }]));
}

function nothingFor(image: string): string {
  return `There are no credentials for ${image}: nodes that have none from elsewhere ask for it anonymously. Unless it is public, add a login to the keychain.`;
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
