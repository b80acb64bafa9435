import type { CacheEntry, SolveRequest } from "./solve-request.ts";

/**
 * The fields of a `SolveRequest` message. Daemons before 0.13 read the two deprecated fields, and frontends see cache imports only
 * through an attribute.
 */
export function solveMessage(request: SolveRequest, ref: string, session: string) {
  const exporters = request.exporters.map(entryOf);
  const imports = (request.cacheImports ?? []).map(entryOf);
  return {
    ref,
    session,
    frontend: request.frontend,
    frontendAttrs: { ...request.frontendAttributes, ...cacheImportsAttribute(imports) },
    cache: { imports, exports: (request.cacheExports ?? []).map(entryOf) },
    entitlements: [...(request.entitlements ?? [])],
    exporters,
    exporterDeprecated: exporters[0]?.type ?? "",
    exporterAttrsDeprecated: exporters[0]?.attrs ?? {},
  };
}

interface WireEntry {
  readonly type: string;
  readonly attrs: Record<string, string>;
}

function entryOf({ type, attributes }: CacheEntry): WireEntry {
  return { type, attrs: { ...attributes } };
}

function cacheImportsAttribute(imports: readonly WireEntry[]): Record<string, string> {
  if (imports.length === 0) return {};
  return { "cache-imports": JSON.stringify(imports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs }))) };
}
