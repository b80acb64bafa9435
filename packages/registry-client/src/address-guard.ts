import { isIP } from "node:net";

import type { AddressKind } from "./network-address.ts";
import { addressKind, bareHost, hostKind } from "./network-address.ts";

/** Which places a registry may send this client to, beside itself and the public internet. */
export interface AddressGuardOptions {
  /**
   * Hosts that are trusted like the registry itself, although their addresses are private: the token service or the storage of a registry in an
   * inner network. `auth.corp.example`, `10.0.0.7`, `*.corp.example` for all below.
   */
  readonly allow?: readonly string[] | undefined;
}

/** A registry names a place where no request may go. */
export class AddressRefusedError extends Error {
  readonly host: string;

  constructor(host: string, kind: RefusedKind) {
    super(`${host} is ${kindNames[kind]}`);
    this.name = "AddressRefusedError";
    this.host = host;
  }
}

type RefusedKind = AddressKind | "internal-name" | "unchecked-name";

const kindNames: Readonly<Record<RefusedKind, string>> = {
  metadata: "where a cloud gives its machines' credentials away",
  loopback: "this machine itself",
  "link-local": "a link-local address",
  private: "an address of a private network",
  "internal-name": "a name of an inner network",
  "unchecked-name": "another host by plain HTTP, whose address cannot be checked from here",
  public: "a public address",
};

/** Decides where requests may go: what a registry answers is no reason to ask the machines behind the firewall. */
export interface AddressGuard {
  /** By its name alone, before anything is dialled. @throws {@link AddressRefusedError} */
  checkUrl(url: URL): void;
  /** The check for the addresses that the host of a URL has turned out to have; `undefined` if it may have any. */
  addressCheck(url: URL): ((address: string) => void) | undefined;
}

/**
 * @param registry - Address of the registry, which is trusted wherever it lies.
 * @param resolvesElsewhere - Whether nobody can check what the name in a URL stands for. Then a certificate has to tell that a host is what its
 * name says: from a registry that is reached by plain HTTP nothing leads to another name by plain HTTP, unless it is a neighbour.
 */
export function createAddressGuard(
  registry: URL,
  { allow = [] }: AddressGuardOptions = {},
  resolvesElsewhere: (url: URL) => boolean = () => false,
): AddressGuard {
  const own = bareHost(registry.hostname);
  const ownHostKind = hostKind(own);
  /** Where the registry was found first; a public one does not move behind the firewall. */
  let ownKind: AddressKind | undefined;
  const ownAddresses = new Set(own === "localhost" ? ["127.0.0.1", "::1"] : []);
  const isTrusted = (host: string): boolean =>
    host === own || ownAddresses.has(host) || allow.some((pattern) => matches(bareHost(pattern), host));
  const isNeighbour = (host: string): boolean => site(host) !== undefined && site(host) === site(own);
  const isUnchecked = (url: URL): boolean => {
    const host = bareHost(url.hostname);
    const isPlain = url.protocol === "http:" && registry.protocol === "http:";
    return isPlain && isIP(host) === 0 && !isNeighbour(host) && resolvesElsewhere(url);
  };
  const checkOwn = (address: string): void => {
    const kind = addressKind(address);
    const moved = kind !== "public" && ownKind === "public";
    if (kind === "metadata" || kind === "link-local" || moved) throw new AddressRefusedError(address, kind);
    ownKind ??= kind;
    ownAddresses.add(address);
  };
  const checkOther = (address: string): void => {
    const kind = addressKind(address);
    if (kind !== "public" && !isTrusted(address)) throw new AddressRefusedError(address, kind);
  };
  const checkNeighbour = (address: string): void => {
    if (addressKind(address) !== "private" || ownKind !== "private") checkOther(address);
  };
  return {
    checkUrl(url) {
      const host = bareHost(url.hostname);
      const kind = hostKind(host);
      if (isTrusted(host)) return;
      if (kind === "public" && isUnchecked(url)) throw new AddressRefusedError(host, "unchecked-name");
      if (kind === "public") return;
      if (kind === "internal-name" && ownHostKind === "internal-name" && isNeighbour(host)) return;
      throw new AddressRefusedError(host, kind);
    },
    addressCheck(url) {
      const host = bareHost(url.hostname);
      if (host === own) return checkOwn;
      if (isTrusted(host)) return undefined;
      return isNeighbour(host) ? checkNeighbour : checkOther;
    },
  };
}

/** A guard that lets everything pass. */
export const openGuard: AddressGuard = { checkUrl: () => undefined, addressCheck: () => undefined };

function matches(pattern: string, host: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

/**
 * What neighbours have in common, for instance the registry and the token service of one company: the namespace of a Service's name in a
 * cluster, else all but the first label. `undefined` where that is too little to go by.
 */
function site(host: string): string | undefined {
  const service = /^[^.]+\.([^.]+)\.svc(\..*)?$/.exec(host);
  if (service) return `${service[1]}.svc`;
  const parent = /^[^.]+\.([^.]+\..+)$/.exec(host)?.[1];
  return parent ?? /^[^.]+\.(local|internal|lan|intranet)$/.exec(host)?.[1];
}
