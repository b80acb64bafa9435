import { serviceOf, type Cluster } from "@slipway/cluster";
import type { Keychain, KeychainCall } from "@slipway/core";
import {
  createRegistryClient,
  createStreamTransport,
  type Dial,
  type ImageReference,
  type RegistryClient,
} from "@slipway/registry-client";

import { helperContainer } from "./build-pod.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { podCredentials } from "./pod-credentials.ts";

/** How the registries of a build are reached, and by whom. */
export interface RegistryAccessPlan {
  readonly options: ResolvedKanikoDriverOptions;
  readonly credentials: Keychain;
  readonly keychainCall: KeychainCall;
}

/** Whether a name means something inside the cluster only: there it must be asked, since from here it may be somebody else. */
export function isClusterName(registry: string): boolean {
  const host = registry.replace(/:\d+$/, "");
  return !host.includes(".") || /\.(svc|svc\..+|local|internal)$/.test(host);
}

/** Whether a name means something without a pod: here it may be somebody else's if it is of the cluster, but of no Service. */
export function isNamedOutside(registry: string, namespace: string): boolean {
  return !isClusterName(registry) || serviceOf(registry.replace(/:\d+$/, ""), namespace) !== undefined;
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

  /**
   * Why kaniko may be let into a repository by what nobody has outside of the pod of the build: a program of the executor's image has the credentials, or
   * there are none, and the pod has an identity of its own.
   */
  async onlyInPod(
    { registry, repository }: Pick<ImageReference, "registry" | "repository">,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { credentials, keychainCall, options } = this.#plan;
    const resource = { registry, repository, actions: ["pull", "push"] as const };
    const [first] = await credentials.resolve(resource, { ...keychainCall, signal });
    if (first?.type === "helper")
      return `docker-credential-${first.helper} gives the credentials, and runs only in the pod of the build`;
    const own = first === undefined ? podCredentials(options) : undefined;
    return own === undefined ? undefined : `${own} may give the credentials, and only to the pod of the build`;
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
