/** `registry/repository` of a tag or of `registry/repository@digest`. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[\w][\w.-]*$/, "");
}

/** The tag that a reference names; undefined if it names none. */
export function tagOf(reference: string): string | undefined {
  return /:([\w][\w.-]*)$/.exec(reference.replace(/@.*$/, ""))?.[1];
}

/** The host of what pods pull: an image, a repository, or a registry alone (`ghcr.io`, `localhost:5000`). */
export function pulledRegistryOf(name: string): string {
  return /^(?:[^/:]*\.[^/:]*|localhost)(?::\d+)?$/.test(name) ? name : registryOf(name);
}

/** The host that a tag is pushed to. */
export function registryOf(tag: string): string {
  const [first = ""] = tag.split("/");
  return tag.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}
