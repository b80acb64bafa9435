/** What the key of a credentials entry stands for: a registry, or the repositories below a path of one. */
export interface RegistryScope {
  /** Host with its port, in lower case; may contain the wildcards that the kubelet knows, `*.example.com`. */
  readonly host: string;
  /** Components of the repository that an entry is limited to; empty for the whole registry. */
  readonly path: readonly string[];
}

const dockerHub = "docker.io";
const dockerHubNames = new Set([dockerHub, "index.docker.io", "registry-1.docker.io"]);

/** The key under which Docker's own tools keep the credentials of Docker Hub. */
export const dockerHubKey = "https://index.docker.io/v1/";

/**
 * Reads the key of an entry: `https://registry.example.com/v2/`, `registry.example.com:5000/team`, `index.docker.io`. The names of Docker Hub are one;
 * a scheme, an API version and the default port of HTTPS do not matter.
 */
export function parseRegistryScope(key: string): RegistryScope {
  const [authority = "", ...components] = withoutUserInfo(key)
    .replace(/^[a-z]+:\/\//i, "")
    .split("/");
  const path = components.filter(Boolean);
  if (/^v[12]$/.test(path[0] ?? "")) path.shift();
  return { host: canonicalHost(authority), path };
}

/** A key without the user and password that some write into it, `https://ann:secret@registry.example.com`: nobody looks for them there. */
export function withoutUserInfo(key: string): string {
  return key.replace(/^(\s*['"`]?(?:[a-z]+:\/\/)?)[^/]*@/i, "$1");
}

/** The one spelling of a registry's host. */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase().replace(/:443$/, "");
  return dockerHubNames.has(lower) ? dockerHub : lower;
}

/** How well an entry for exactly one host fits a repository of it; each component of its path adds one. */
export const exactHostRank = 1_000;

/** Writes a scope as people do: `registry.example.com/team`. */
export function formatRegistryScope({ host, path }: RegistryScope): string {
  return [host, ...path].join("/");
}

/** Whether the host of a scope stands for several. */
export function hasWildcard({ host }: RegistryScope): boolean {
  return /[*?]/.test(host);
}

/** How well an entry fits a repository, higher is better; `undefined` if it does not. Without a repository any path fits, least of all. */
export function scopeFit(scope: RegistryScope, registry: string, repository: string | undefined): number | undefined {
  const host = canonicalHost(registry);
  const exact = scope.host === host;
  if (!exact && !matchesWildcards(scope.host, host)) return undefined;
  const fit = exact ? exactHostRank : 0;
  if (repository === undefined) return fit - scope.path.length;
  const components = repository.split("/");
  return scope.path.every((component, index) => component === components[index]) ? fit + scope.path.length : undefined;
}

/** As the kubelet does it: a wildcard stays within one label, and the port must be the same. */
function matchesWildcards(pattern: string, host: string): boolean {
  if (!hasWildcard({ host: pattern, path: [] })) return false;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, "[^.:]*")
    .replace(/\?/g, "[^.:]");
  return new RegExp(`^${source}$`).test(host);
}
