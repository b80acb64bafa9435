/** What somebody wants to do in a repository. */
export type RegistryAction = "pull" | "push" | "delete";

/** Which rights a request needs. */
export interface ScopedRequest {
  readonly repository?: string | undefined;
  readonly actions: readonly RegistryAction[];
  /** Repositories that the same request reads from. */
  readonly alsoPull?: readonly string[] | undefined;
  /** Rights beyond those in repositories: `registry:catalog:*`. */
  readonly scope?: string | undefined;
}

/** The scopes that a token needs for a request, sorted: `repository:team/app:pull,push`. */
export function requestScopes({ repository, actions, alsoPull = [], scope }: ScopedRequest): readonly string[] {
  // Whoever pushes reads too: clients ask what is there already.
  const wanted = actions.includes("push") ? ["pull", ...actions] : actions;
  const own = repository === undefined || actions.length === 0 ? [] : [`repository:${repository}:${wanted.join(",")}`];
  const others = alsoPull.filter((other) => other !== repository).map((other) => `repository:${other}:pull`);
  return mergeScopes([...own, ...others, ...(scope === undefined ? [] : [scope])]);
}

/** All scopes in one list: those of the same resource become one with the actions of all. */
export function mergeScopes(scopes: readonly string[]): readonly string[] {
  const actionsOf = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const { resource, actions } = parseScope(scope);
    const merged = actionsOf.get(resource) ?? new Set();
    for (const action of actions) merged.add(action);
    actionsOf.set(resource, merged);
  }
  return [...actionsOf].map(([resource, actions]) => `${resource}:${[...actions].sort().join(",")}`).sort();
}

/**
 * The scopes to ask a token service for. A registry that calls the repository by another name in its challenge knows best; else what it asks for
 * is added to what the request needs.
 */
export function scopesToAsk(needed: readonly string[], challenged: string | undefined): readonly string[] {
  const asked = splitScopes(challenged);
  const known = new Set(needed.map((scope) => parseScope(scope).resource));
  const same = asked.length === 0 || asked.some((scope) => known.has(parseScope(scope).resource));
  return same ? mergeScopes([...needed, ...asked]) : mergeScopes(asked);
}

/** Whether the first list grants all that the second one asks for. */
export function coversScopes(granted: readonly string[], asked: readonly string[]): boolean {
  return mergeScopes([...granted, ...asked]).join(" ") === mergeScopes(granted).join(" ");
}

/** The scopes in a challenge, which are separated by spaces. */
export function splitScopes(scope: string | undefined): readonly string[] {
  return (scope ?? "").split(" ").filter((part) => part !== "");
}

/** A name may hold a host with its port, so only the last colon is one of the scope's own. */
function parseScope(scope: string): { readonly resource: string; readonly actions: readonly string[] } {
  const end = scope.lastIndexOf(":");
  return { resource: scope.slice(0, end), actions: scope.slice(end + 1).split(",") };
}
