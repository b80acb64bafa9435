import type { Keychain, KeychainCall } from "@slipway/core";

import type { AddressGuardOptions } from "./address-guard.ts";
import type { RegistryTransport } from "./registry-transport.ts";

/** Which registry to talk to, and how. */
export interface RegistryClientOptions {
  /** Host with its port, as in an image reference: `registry.example.com:5000`, `docker.io`. Without `https://`; for `http://` there is `http`. */
  readonly registry: string;
  /** Who may ask. @defaultValue nobody: requests are anonymous */
  readonly credentials?: Keychain | undefined;
  /** Passed on to `credentials`, which read Secrets with it, run credential helpers, and warn. */
  readonly keychainCall?: Omit<KeychainCall, "signal"> | undefined;
  /** Plain HTTP. @defaultValue `true` for localhost and 127.0.0.0/8, as engines do it, else `false` */
  readonly http?: boolean | undefined;
  /**
   * Certificate authority of the registry, as PEM; several may follow each other. It is trusted beside those that Node trusts, also for mirrors, and for
   * the token services and storage that a registry leads to. For the default transport. @defaultValue those that Node trusts
   */
  readonly ca?: string | undefined;
  /**
   * Does not check the certificates of the hosts that are named here, the registry's and those of its mirrors; other hosts, to which these lead, are checked
   * all the same. For the default transport. @defaultValue `false`
   */
  readonly insecure?: boolean | undefined;
  /**
   * Proxy for the default transport, as a URL; `false` for none. @defaultValue what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say, in either case of letters
   */
  readonly proxy?: string | false | undefined;
  /**
   * Registries that are asked first for manifests and blobs, in this order; whatever goes wrong there, a manifest that is another one included, the
   * registry itself is asked next. Of a blob the beginning of the answer decides. Not asked for what decides about a write, and not for lists.
   * @defaultValue none
   */
  readonly mirrors?: readonly RegistryMirror[] | undefined;
  /**
   * Where the registry may send this client: token services, redirects and uploads at metadata, loopback, link-local and private addresses are
   * refused unless they are the registry's own. `false` switches that off. @defaultValue on
   */
  readonly guard?: AddressGuardOptions | false | undefined;
  /** How requests travel. @defaultValue the network of this process */
  readonly transport?: RegistryTransport | undefined;
  /** Waits before a request is sent again because the registry is busy or out of reach, in milliseconds. @defaultValue `[250, 1000]` */
  readonly retryDelaysMs?: readonly number[] | undefined;
  /**
   * How long an answer may take to begin, with repeats and tokens but without the wait in line; and in which time a body must bring at least 16 KiB, or end, in milliseconds.
   * @defaultValue `25000`
   */
  readonly answerTimeoutMs?: number | undefined;
  /** Requests that wait for their answers at a time; the rest wait in line. @defaultValue `16` */
  readonly maxConcurrentRequests?: number | undefined;
}

/** A registry that has copies of another one. A string is its host, with folders if the images are below some, which is reached as the registry itself is by default. */
export type RegistryMirror =
  | string
  | {
      /** Host with its port, and folders below which it has the images: `mirror.example.com:5000/hub`. */
      readonly registry: string;
      /** @defaultValue `true` for localhost and 127.0.0.0/8, else `false` */
      readonly http?: boolean | undefined;
    };

/** The address of a registry's API. Docker Hub has one of its own. */
export function registryUrl(registry: string, http: boolean | undefined): URL {
  const host = registry === "docker.io" || registry === "index.docker.io" ? "registry-1.docker.io" : registry;
  const plain = http ?? /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
  return new URL(`${plain ? "http" : "https"}://${host}/v2/`);
}
