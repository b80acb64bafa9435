import { namesUser, quoteReference, userBeforeReference } from "./reference-user.ts";

const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domain = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const tag = "[\\w][\\w.-]{0,127}";
const digest = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";

/** The grammar of https://github.com/distribution/reference, which every registry and engine uses. */
const reference = new RegExp(
  `^((?:(${domain})/)?${pathComponent}(?:/${pathComponent})*)(?::(${tag}))?(?:@(${digest}))?$`,
);

/** A repository may have 255 characters, without its registry. */
const maximumNameLength = 255;

/**
 * Says what is wrong with a name of an image; undefined when nothing is.
 *
 * @param mayHaveDigest - Not so for a tag to push to.
 */
export function imageReferenceProblem(text: string, { mayHaveDigest = false } = {}): string | undefined {
  if (text === "") return "Is empty; a tag is registry/repository:tag";
  const problem = problemOf(text, mayHaveDigest);
  return problem === undefined ? undefined : `${quoteReference(text)} ${problem}`;
}

function problemOf(text: string, mayHaveDigest: boolean): string | undefined {
  if (namesUser(text)) return userBeforeReference;
  if (/^[a-z]+:\/\//i.test(text)) return "has a scheme; write registry/repository:tag without it";
  if (/^[a-fA-F0-9]{64}$/.test(text)) return "is an image id, not a name; write registry/repository:tag";
  const match = reference.exec(text);
  if (match === null) {
    const lower = reference.test(text.toLowerCase())
      ? "; a repository is lower case"
      : "; write registry/repository:tag";
    return `is no valid image reference${lower}`;
  }
  const [, name = "", registry] = match;
  if (name.length - (registry === undefined ? 0 : registry.length + 1) > maximumNameLength)
    return `names a repository of more than ${maximumNameLength} characters`;
  if (match[4] !== undefined && !mayHaveDigest) return "has a digest; a build makes a new one, so name a tag only";
  return undefined;
}

/** The repository with its registry: what is left without tag and digest. */
export function repositoryOf(text: string): string {
  return reference.exec(text)?.[1] ?? text;
}
