import { canonicalHost } from "../registry-scope.ts";

/** The registry of an image, and its repository; a registry alone has none. */
export interface ImageName {
  readonly registry: string;
  readonly repository?: string;
}

/** Takes the name of an image apart, or the name of a registry: what has no slash is a registry, so `docker.io/busybox` needs its registry here. */
export function parseImageName(name: string): ImageName {
  if (!name.includes("/")) return { registry: canonicalHost(name) };
  const { host, repository } = splitImage(name);
  return { registry: canonicalHost(host), repository };
}

const dockerHub = "docker.io";

/**
 * Host and repository of an image, `host/repository[:tag][@digest]`, as distribution/reference and with it every engine splits them: a first
 * component that can be no host belongs to a repository of Docker Hub.
 */
export function splitImage(image: string): { readonly host: string; readonly repository: string } {
  const name = image.replace(/@.*$/s, "").replace(/:[^/]*$/s, "");
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const host = isHost && first !== "index.docker.io" ? first : dockerHub;
  const path = isHost ? name.slice(slash + 1) : name;
  return { host, repository: host === dockerHub && !path.includes("/") ? `library/${path}` : path };
}
