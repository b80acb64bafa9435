import { repositoryOf } from "@slipway/core";

/** The tag that a reference names; undefined if it names none. */
export function tagOf(reference: string): string | undefined {
  return /:([\w][\w.-]*)$/.exec(reference.replace(/@.*$/, ""))?.[1];
}

/** The host of what pods pull: an image, a repository, or a registry alone (`ghcr.io`, `localhost:5000`). */
export function pulledRegistryOf(name: string): string {
  return /^(?:[^/:]*\.[^/:]*|localhost)(?::\d+)?$/.test(name) ? name : registryOf(name);
}

/** Where an image is, in full: `busybox:1` is `library/busybox` of `docker.io`. */
export function imageNameOf(reference: string): { readonly registry: string; readonly repository: string } {
  const registry = registryOf(reference);
  const name = repositoryOf(reference);
  const path = name.startsWith(`${registry}/`) ? name.slice(registry.length + 1) : name;
  if (registry !== "docker.io" && registry !== "index.docker.io") return { registry, repository: path };
  return { registry: "docker.io", repository: path.includes("/") ? path : `library/${path}` };
}

/** The host that a tag is pushed to. */
export function registryOf(tag: string): string {
  const [first = ""] = tag.split("/");
  return tag.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}
