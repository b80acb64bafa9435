import type * as Tls from "node:tls";

import type { TlsTrust } from "./http/secure.ts";
import { tls } from "./http/secure.ts";
import type { RegistryRequest } from "./registry-transport.ts";

/** What is said about the certificate of a registry. */
export interface HostTrustOptions {
  /** Further certificate authorities, as PEM. */
  readonly ca?: string | undefined;
  /** Does not check the certificate of the registry's own host. */
  readonly insecure?: boolean | undefined;
}

/** Whether a request goes to the registry itself. Ports do not matter: registries have their token service at another one. */
export function isOwnHost({
  url,
  registryHost = url.hostname,
}: Pick<RegistryRequest, "url" | "registryHost">): boolean {
  return url.hostname === registryHost;
}

/**
 * Decides which certificates are taken. Those of other hosts than the registry's own are always checked, since a token service is sent the
 * password. Their authority may be the registry's or a public one, so both are trusted everywhere.
 */
export function createHostTrust({ ca, insecure = false }: HostTrustOptions): (isOwn: boolean) => TlsTrust {
  let made: Tls.SecureContext | undefined;
  // Once for all connections: it takes about 20 ms.
  const context = ca === undefined ? undefined : () => (made ??= contextWith(ca));
  return (isOwn) => ({ context, rejectUnauthorized: !(insecure && isOwn) });
}

/** Those that Node trusts have to be named as well, since `ca` replaces them. */
function contextWith(ca: string): Tls.SecureContext {
  return tls().createSecureContext({ ca: [...defaultAuthorities(tls()), ca] });
}

/** Only since 22.15 Node tells what `NODE_EXTRA_CA_CERTS` and the system have added. */
function defaultAuthorities({
  getCACertificates,
  rootCertificates,
}: Pick<typeof Tls, "rootCertificates"> & Partial<Pick<typeof Tls, "getCACertificates">>): readonly string[] {
  return getCACertificates?.("default") ?? rootCertificates;
}
