import type { Keychain, KeychainCall } from "@slipway/core";

import type { RegistryTransport } from "./registry-transport.ts";

/** Which registry to talk to, and how. */
export interface RegistryClientOptions {
  /** Host with its port, as in an image reference: `registry.example.com:5000`, `docker.io`. */
  readonly registry: string;
  /** Who may ask. @defaultValue nobody: requests are anonymous */
  readonly credentials?: Keychain | undefined;
  /** Passed on to `credentials`, which read Secrets with it. */
  readonly readSecret?: KeychainCall["readSecret"];
  /** Plain HTTP. @defaultValue `true` for localhost and 127.0.0.0/8, as engines do it, else `false` */
  readonly http?: boolean | undefined;
  /** Certificate authority of the registry, as PEM; for the default transport. @defaultValue those that Node trusts */
  readonly ca?: string | undefined;
  /** How requests travel. @defaultValue the network of this process */
  readonly transport?: RegistryTransport | undefined;
  /** Waits before a request is sent again because the registry is busy or out of reach, in milliseconds. @defaultValue `[250, 1000]` */
  readonly retryDelaysMs?: readonly number[] | undefined;
}

/** The address of a registry's API. Docker Hub has one of its own. */
export function registryUrl(registry: string, http: boolean | undefined): URL {
  const host = registry === "docker.io" || registry === "index.docker.io" ? "registry-1.docker.io" : registry;
  const plain = http ?? /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
  return new URL(`${plain ? "http" : "https"}://${host}/v2/`);
}
