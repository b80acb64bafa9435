import { canonicalHost } from "../registry-scope.ts";

/** The registry of an image, and its repository; a registry alone has none. */
export interface ImageName {
  /** As the image names it, with its port: under nothing else do other programs look for credentials. */
  readonly host: string;
  /** Which registry that is: `registry.example.com` for `registry.example.com:443`. */
  readonly registry: string;
  readonly repository?: string;
}

const dockerHub = "docker.io";

/** Takes the name of an image apart, or the name of a registry: what has no slash is a registry, so `docker.io/busybox` needs its registry here. */
export function parseImageName(name: string): ImageName {
  const alone = { host: name === "index.docker.io" ? dockerHub : name };
  const split = name.includes("/") ? splitImage(name) : alone;
  return { ...split, registry: canonicalHost(split.host) };
}

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
