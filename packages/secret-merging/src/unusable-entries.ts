import type { KeychainEntry } from "./keychain-content.ts";
import type { CredentialConsumer } from "./keychain-report.ts";
import { isFoundByKubelet } from "./kubelet/kubelet-lookup.ts";
import { formatRegistryScope, hasWildcard } from "./registry-scope.ts";

type Rule = (entry: KeychainEntry) => string | undefined;

/** What each program does not understand, by its source code. */
const rules: Readonly<Record<CredentialConsumer, readonly Rule[]>> = {
  kubelet: [
    (entry) => (entry.type === "helper" ? "it runs no credential helpers" : undefined),
    (entry) => (isToken(entry) ? "it knows user names and passwords, no tokens" : undefined),
    (entry) =>
      entry.unknownToKubelet === true
        ? "it reads Secrets of type kubernetes.io/dockerconfigjson and kubernetes.io/dockercfg only"
        : undefined,
    (entry) =>
      entry.scope !== "any" && /^\[.*\]$/.test(entry.scope.host)
        ? "it takes an IPv6 address without a port for a pattern"
        : undefined,
    otherRegistry,
  ],
  buildctl: [
    (entry) => (hasPath(entry) ? "it has one login per host, and ignores paths" : undefined),
    (entry) => (isGlob(entry) ? "it knows no wildcards" : undefined),
  ],
  kaniko: [
    (entry) => (isGlob(entry) ? "it knows no wildcards" : undefined),
    (entry) => (hasPath(entry) ? "it looks up a whole repository or a host, and nothing between them" : undefined),
    (entry) => (entry.type === "helper" ? "its image must have the credential helper" : undefined),
  ],
};

/** Why a program cannot use an entry; `undefined` if it can. */
export function unusableBy(consumer: CredentialConsumer, entry: KeychainEntry): string | undefined {
  for (const rule of rules[consumer]) {
    const reason = rule(entry);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isToken(entry: KeychainEntry): boolean {
  return entry.type === "credential" && entry.credential.type !== "basic";
}

/** The kubelet takes keys by the letter: the port of HTTPS, upper case, and a `/v2` without a slash behind it make another registry. */
function otherRegistry({ key, scope, unknownToKubelet }: KeychainEntry): string | undefined {
  // What is in no Secret it does not read anyway.
  if (scope === "any" || unknownToKubelet !== false) return undefined;
  const image = formatRegistryScope({ ...scope, host: scope.host.replace(/[*?]/g, "x") });
  const found = isFoundByKubelet(key, scope.path.length === 0 ? `${image}/any` : image);
  return found ? undefined : `to it, ${key} is another registry: write ${formatRegistryScope(scope)}`;
}

function hasPath({ scope }: KeychainEntry): boolean {
  return scope !== "any" && scope.path.length > 0;
}

function isGlob({ scope }: KeychainEntry): boolean {
  return scope !== "any" && hasWildcard(scope);
}
