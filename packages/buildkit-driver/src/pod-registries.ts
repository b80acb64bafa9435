import type { Cluster } from "@slipway/cluster";
import type { Keychain, KeychainCall } from "@slipway/core";
import {
  createRegistryClient,
  createStreamTransport,
  type Dial,
  type RegistryClient,
  type RegistryLogin,
} from "@slipway/registry-client";

import type { BuilderPod } from "./builder-pods.ts";
import type { RegistryAccess } from "./buildkitd-config.ts";
import { dialFromPod } from "./dial-from-pod.ts";

const loginTimeoutMs = 10_000;

/** How the registries of a build are reached. */
export interface PodRegistriesOptions {
  /** Opens a connection from where the builder is: what is reached there is what counts. `undefined`: over the network of this process. */
  readonly dial: Dial | undefined;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
  readonly credentials: Keychain;
  readonly keychainCall: KeychainCall;
}

/** What decides how registries are reached. */
export interface RegistrySite {
  readonly cluster: Cluster;
  readonly target: Pick<BuilderPod, "name">;
  readonly registries: Readonly<Record<string, RegistryAccess>>;
}

/** The registries as a pod of the builder reaches them. */
export function podRegistries(
  { cluster, target, registries }: RegistrySite,
  credentials: Keychain,
  keychainCall: KeychainCall,
): PodRegistries {
  const pod = { namespace: cluster.namespace, name: target.name };
  const dial: Dial = (signal, url) => dialFromPod(cluster, pod, url, signal);
  return new PodRegistries({ dial, registries, credentials, keychainCall });
}

/** Clients for the registries as the builder's pod sees them, one for each host, made when they are needed. */
export class PodRegistries implements AsyncDisposable {
  readonly #options: PodRegistriesOptions;
  readonly #clients = new Map<string, RegistryClient>();

  constructor(options: PodRegistriesOptions) {
    this.#options = options;
  }

  /** The client for a registry, with the builder's credentials. */
  client(registry: string): RegistryClient {
    const known = this.#clients.get(registry);
    if (known !== undefined) return known;
    const { credentials, keychainCall, registries, dial } = this.#options;
    const { http, ca, insecure } = registries[registry] ?? {};
    const tls = { ca, insecure };
    const client = createRegistryClient({
      ...{ registry, http, credentials, keychainCall },
      ...(dial === undefined ? tls : { transport: createStreamTransport(dial, { tls }) }),
    });
    this.#clients.set(registry, client);
    return client;
  }

  /** Whether a registry with Basic authentication knows a user. */
  async accepts(registry: string, login: RegistryLogin): Promise<boolean> {
    const signal = AbortSignal.any([this.#options.keychainCall.signal, AbortSignal.timeout(loginTimeoutMs)]);
    try {
      return await this.client(registry).checkLogin(login, { signal });
    } catch {
      // Whoever needs the registry learns why it cannot be reached.
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}
