import { canonicalHost } from "../registry-scope.ts";

/** The registry of an image, and its repository; a registry alone has none. */
export interface ImageName {
  readonly registry: string;
  readonly repository?: string;
}

/**
 * Takes a full reference apart, `registry/repository[:tag][@digest]`, or the name of a registry. A name without a slash is a registry: images of
 * Docker Hub are written in full here.
 */
export function parseImageName(name: string): ImageName {
  const slash = name.indexOf("/");
  if (slash === -1) return { registry: canonicalHost(name) };
  const repository = name
    .slice(slash + 1)
    .replace(/@.*$/s, "")
    .replace(/:[^/]*$/s, "");
  return { registry: canonicalHost(name.slice(0, slash)), repository };
}
