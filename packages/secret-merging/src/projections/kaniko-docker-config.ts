import { isSameCredential } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";

import { canonicalHost, dockerHubKey } from "../registry-scope.ts";
import type { ImageName } from "./image-name.ts";
import { splitImage } from "./image-name.ts";
import { encodeLogin } from "./key-logins.ts";

/** What a build with kaniko needs. */
export interface KanikoDockerConfigOptions {
  readonly keychain: Keychain;
  /** Base images, cache and destination: full references, `registry/repository[:tag][@digest]`. */
  readonly references: readonly string[];
  readonly actions: RegistryResource["actions"];
  /**
   * What a registry has accepted for a reference: it is written in place of the first candidate, and the others are not warned of. `anonymous`:
   * nothing is written, since the registry refuses all candidates and serves it to anybody. @defaultValue nothing is known
   */
  readonly accepted?: ((reference: string) => Credential | "anonymous" | undefined) | undefined;
}

/** A `config.json` for one build. It holds secrets: it belongs into a Secret and nowhere else. */
export interface KanikoDockerConfig {
  readonly config: DockerConfigJson;
  /** What kaniko will not be able to use. */
  readonly warnings: readonly string[];
}

/** The parts of a `config.json` that a projection writes. */
export interface DockerConfigJson {
  readonly auths: Readonly<Record<string, DockerAuth>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** An entry of `auths`. */
export type DockerAuth = Readonly<{ auth: string } | { identitytoken: string } | { registrytoken: string }>;

/**
 * The `config.json` of one build, with exactly the registries and repositories that it needs. Kaniko looks up a whole repository and then its host,
 * and nothing between them, so that a credential that is limited to a path stands under each repository. A `credsStore` becomes a helper for each
 * host: for all others it would hide what the file holds.
 */
export async function kanikoDockerConfig(
  { keychain, references, actions, accepted = () => undefined }: KanikoDockerConfigOptions,
  call: KeychainCall,
): Promise<KanikoDockerConfig> {
  const auths: Record<string, DockerAuth> = {};
  const credHelpers: Record<string, string> = {};
  const warnings: string[] = [];
  const hosts = new Map<string, KnownCredential>();
  /** Hosts with a repository that is read without credentials, which those of the host would be taken for. */
  const open = new Set<string>();
  for (const { host, registry, repository, reference } of distinctNames(references)) {
    const name = `${host}/${repository}`;
    const known = accepted(reference);
    const candidates = await keychain.resolve({ registry, repository, actions }, call);
    const [first, ...others] = known === undefined || known === "anonymous" ? candidates : [known, ...candidates];
    if (first === undefined || known === "anonymous") {
      open.add(host);
      continue;
    }
    if (known === undefined && others.some((other) => other.type !== "helper" && !isSameCredential(first, other)))
      warnings.push(`For ${name} kaniko tries ${first.source} only, and not ${sourcesOf(others)}.`);
    if (first.type === "helper") {
      credHelpers[hostKey(host)] = first.helper;
      continue;
    }
    auths[repositoryKey(host, repository)] = dockerAuth(first);
    const wide = [first, ...others].filter(isKnown).find(({ scope }) => scope === undefined);
    if (!hosts.has(host)) hosts.set(host, wide ?? first);
  }
  for (const [host, credential] of hosts)
    if (!(hostKey(host) in credHelpers) && !open.has(host)) auths[hostKey(host)] = dockerAuth(credential);
  const helpers = Object.keys(credHelpers).length === 0 ? {} : { credHelpers };
  return { config: { auths, ...helpers }, warnings };
}

/** A credential that needs no helper any more. */
export type KnownCredential = Exclude<Credential, { type: "helper" }>;

function isKnown(credential: Credential): credential is KnownCredential {
  return credential.type !== "helper";
}

function distinctNames(references: readonly string[]): (Required<ImageName> & { reference: string })[] {
  const names = new Map(
    references.map((reference) => {
      const { host, repository } = splitImage(reference);
      return [`${host}/${repository}`, { host, registry: canonicalHost(host), repository, reference }];
    }),
  );
  return [...names.values()];
}

function sourcesOf(credentials: readonly Credential[]): string {
  return [...new Set(credentials.map(({ source }) => source))].join(", ");
}

function hostKey(host: string): string {
  return host === "docker.io" ? dockerHubKey : host;
}

/** Kaniko's library calls Docker Hub by its index. */
function repositoryKey(host: string, repository: string): string {
  return `${host === "docker.io" ? "index.docker.io" : host}/${repository}`;
}

/** A credential as an entry of `auths`. */
export function dockerAuth(credential: KnownCredential): DockerAuth {
  if (credential.type !== "basic") {
    return credential.type === "identity-token"
      ? { identitytoken: credential.token }
      : { registrytoken: credential.token };
  }
  return { auth: encodeLogin(credential) };
}
