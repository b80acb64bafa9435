/** `registry/repository` of a tag or of `registry/repository@digest`. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[\w][\w.-]*$/, "");
}

/** The host that a tag is pushed to. */
export function registryOf(tag: string): string {
  const [first = ""] = tag.split("/");
  return tag.includes("/") && /[.:]|^localhost$/.test(first) ? first : "docker.io";
}
