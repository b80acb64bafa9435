import { isIP } from "node:net";
import type * as Tls from "node:tls";

import { bareHost } from "../network-address.ts";

/** Which certificates are taken. */
export interface TlsTrust {
  /** Has the authorities that are trusted. Asked for each connection. @defaultValue those that Node trusts */
  readonly context?: (() => Tls.SecureContext) | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The same for `node:tls`. */
export function trustOptions({ context, rejectUnauthorized }: TlsTrust): Tls.ConnectionOptions {
  return { rejectUnauthorized, ...(context === undefined ? {} : { secureContext: context() }) };
}

/** `node:tls`, loaded with the first use. */
export function tls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}

/** What connections speak once they are secure. */
export const http1 = { ALPNProtocols: ["http/1.1"] };

/** What a certificate must be for; the name of a server is no address. */
export function identityOf(host: string): { readonly servername?: string; readonly host?: string } {
  const bare = bareHost(host);
  return isIP(bare) === 0 ? { servername: bare } : { host: bare };
}
