import type { Cluster } from "@slipway/cluster";
import { BuilderError, type BuildRequest, type Keychain, type KeychainCall } from "@slipway/core";
import {
  createRegistryClient,
  createStreamTransport,
  parseImageReference,
  type Dial,
  type ImageReference,
  type RegistryClient,
} from "@slipway/registry-client";

import { helperContainer } from "./build-pod.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/** How the registries of a build are reached, and by whom. */
export interface RegistryAccessPlan {
  readonly options: Pick<ResolvedKanikoDriverOptions, "registries" | "insecure" | "skipTlsVerify">;
  readonly credentials: Keychain;
  readonly keychainCall: KeychainCall;
}

/** Whether a name means something inside the cluster only: there it must be asked, since from here it may be somebody else. */
export function isClusterName(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return !host.includes(".") || /\.(svc|svc\..+|local|internal)$/.test(host);
}

/** How the connections to a registry are opened; `undefined`: over the network of this process. */
export type DialOf = (registry: string) => Dial | undefined;

/** Clients for the registries of a build, one for each host, made when they are needed. */
export class BuildRegistries implements AsyncDisposable {
  readonly #plan: RegistryAccessPlan;
  readonly #dialOf: DialOf;
  readonly #clients = new Map<string, RegistryClient>();

  constructor(plan: RegistryAccessPlan, dialOf: DialOf = () => undefined) {
    this.#plan = plan;
    this.#dialOf = dialOf;
  }

  client(registry: string): RegistryClient {
    const known = this.#clients.get(registry);
    if (known !== undefined) return known;
    const { options, credentials, keychainCall } = this.#plan;
    const access = options.registries[registry] ?? {};
    const http = access.http ?? (appliesToPush(options.insecure) ? true : undefined);
    const insecure = access.insecure ?? appliesToPush(options.skipTlsVerify);
    const tls = { ca: access.ca, insecure };
    const dial = this.#dialOf(registry);
    const client = createRegistryClient({
      ...{ registry, http, credentials, keychainCall },
      ...(dial === undefined ? tls : { transport: createStreamTransport(dial, { tls }) }),
    });
    this.#clients.set(registry, client);
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}

function appliesToPush(where: boolean | readonly ("push" | "pull")[]): boolean {
  return where === true || (where !== false && where.includes("push"));
}

/** Opens connections from the helper in the pod of a build. */
export function dialFromPod(cluster: Cluster, pod: string): Dial {
  return async (signal, url) => {
    const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
    // A URL writes an IPv6 address in brackets, which no program but a URL parser takes.
    const host = url.hostname.replace(/^\[|\]$/g, "");
    const target = { namespace: cluster.namespace, pod, container: helperContainer };
    return (await cluster.exec({ ...target, command: ["nc", host, port] }, { signal })).stdio;
  };
}

/** The repositories that a build writes to, each once. */
export function writtenRepositories(references: readonly string[]): readonly ImageReference[] {
  const all = references.map((reference) => parseImageReference(reference));
  return [...new Map(all.map((image) => [`${image.registry}/${image.repository}`, image])).values()];
}

/** Whoever cannot be reached within this time is asked from within the cluster. */
const checkTimeoutMs = 10_000;

/**
 * Asks for permission to push.
 *
 * @returns false if the registry could not be reached from there
 * @throws BuilderError REGISTRY_UNAUTHORIZED, REPOSITORY_NOT_FOUND, REGISTRY_REFUSED, REGISTRY_UNAVAILABLE
 */
export async function mayPush(
  registries: BuildRegistries,
  { registry, repository }: ImageReference,
  { createRepository }: Pick<BuildRequest, "createRepository">,
  signal: AbortSignal,
): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(checkTimeoutMs)]);
  try {
    await registries.client(registry).checkPush(repository, { signal: limit, createRepository });
    return true;
  } catch (error) {
    if (signal.aborted || !isInconclusive(error)) throw error;
    return false;
  }
}

function isInconclusive(error: unknown): boolean {
  if (!BuilderError.isInstance(error)) return false;
  if (error.code === "REGISTRY_UNAVAILABLE") return error.details.status === undefined;
  return error.code === "ABORTED" || error.code === "TIMEOUT";
}
