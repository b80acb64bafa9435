import { unusableAnswerError } from "./registry-error.ts";
import type { RegistryResponse } from "./registry-transport.ts";

/** A million names at a hundred a page. */
const maxPages = 10_000;
/** Registries that sort out what they list while they page have pages with nothing on them, and more behind these. */
const maxBarrenPages = 100;

/** The way through the pages of a list. */
export interface PageTrail {
  /**
   * Where the next page is; `undefined` after the last one.
   *
   * @param current - The page that was answered with `response`, and has `names`.
   * @throws `REGISTRY_REFUSED` when the pages seem to have no end
   */
  next(response: Pick<RegistryResponse, "headers">, current: URL, names: readonly string[]): URL | undefined;
}

/** A way through pages, at its beginning. @param purpose - For errors. */
export function createPageTrail(registry: string, purpose: string): PageTrail {
  const seen = new Set<string>();
  let barrenPages = 0;
  let latest = new Set<string>();
  const endless = (reason: string): Error => unusableAnswerError({ registry, purpose, tried: [] }, 200, reason);
  return {
    next: (response, current, names) => {
      seen.add(current.href);
      const bringsNew = names.some((name) => !latest.has(name));
      barrenPages = bringsNew ? 0 : barrenPages + 1;
      if (bringsNew) latest = new Set(names);
      const url = nextPage(response, current);
      if (url === undefined) return undefined;
      if (seen.has(url.href)) throw endless("its pages lead in a circle");
      if (barrenPages >= maxBarrenPages) throw endless(`${maxBarrenPages} of its pages in a row bring nothing new`);
      if (seen.size >= maxPages) throw endless(`it has more than ${maxPages} pages`);
      return url;
    },
  };
}

/** `Link: </v2/_catalog?last=b&n=2>; rel="next"`, which may be relative. */
function nextPage({ headers }: Pick<RegistryResponse, "headers">, current: URL): URL | undefined {
  const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(headers.get("link") ?? "")?.[1];
  return link === undefined ? undefined : (URL.parse(link, current.href) ?? undefined);
}
