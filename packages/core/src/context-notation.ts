import type { Context } from "./context.ts";

const imageScheme = "docker-image://";
const layoutScheme = "oci-layout://";

/**
 * Reads the notation of a context that buildx accepts on its command line.
 * @returns the context, or a sentence that says what is wrong with the text.
 */
export function parseContextNotation(notation: string): Context | string {
  if (notation.trim() === "") return "Is empty; `.` is the current directory";
  if (notation === "-") return 'Standard input is no context here; pass { type: "tar", read } instead';
  if (notation.startsWith(imageScheme)) return imageContext(notation.slice(imageScheme.length));
  if (notation.startsWith(layoutScheme)) return layoutContext(notation.slice(layoutScheme.length));
  if (isGitUrl(notation)) return gitContext(notation);
  if (/^https?:\/\//i.test(notation)) return { type: "http", url: notation };
  const scheme = /^([a-z][a-z\d+.-]+):\/\//i.exec(notation)?.[1];
  if (scheme !== undefined)
    return `Has the unknown scheme "${scheme}"; known are http, https, git, ssh, docker-image, oci-layout`;
  return { type: "directory", path: notation };
}

function imageContext(reference: string): Context | string {
  return reference === "" ? "Names no image after docker-image://" : { type: "image", reference };
}

/** `path[:tag][@digest]`; a colon inside the path stays there, because a tag has no slash. */
function layoutContext(location: string): Context | string {
  const [, path, reference] = /^(.+?)((?::[\w][\w.-]*)?(?:@[a-z\d]+:[a-f\d]+)?)$/s.exec(location) ?? [];
  if (path === undefined) return "Names no directory after oci-layout://";
  if (reference === undefined || reference === "") return { type: "oci-layout", path };
  return { type: "oci-layout", path, reference: reference.replace(/^:/, "") };
}

/** As BuildKit tells them: a git scheme, `user@host:path`, http(s) with a path that ends in `.git`, or `github.com/…`. */
function isGitUrl(notation: string): boolean {
  if (/^(?:git|ssh|git\+ssh):\/\//i.test(notation)) return true;
  if (/^github\.com\/[^/]+\/[^/]+/.test(notation)) return true;
  if (/^[\w.-]+@[\w.-]+:[^\s/][^\s]*$/.test(notation)) return true;
  return /^https?:\/\/[^#?]*\.git\/?(?:[#?].*)?$/i.test(notation);
}

/** `url#ref:subdirectory`, either half of which may be missing. */
function gitContext(notation: string): Context {
  const hash = notation.indexOf("#");
  const address = hash < 0 ? notation : notation.slice(0, hash);
  const [ref = "", ...rest] = hash < 0 ? [] : notation.slice(hash + 1).split(":");
  const subdirectory = rest.join(":");
  return {
    type: "git",
    url: address.startsWith("github.com/") ? `https://${address}` : address,
    ...(ref === "" ? {} : { ref }),
    ...(subdirectory === "" ? {} : { subdirectory }),
  };
}
