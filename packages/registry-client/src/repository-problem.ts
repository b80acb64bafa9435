import { isRepository, namesUser } from "./image-reference.ts";

/** Where somebody has a user in front of a registry: what stands before the @ may be a password, so such a text is not quoted. */
export const userProblem = "Names a user; leave that out, and give it to the client as `credentials`";

/** Why a text is no path of a repository, and what is. */
export function repositoryProblem(text: string): string {
  if (namesUser(text)) return userProblem;
  const path = withoutTag(text);
  if (isRepository(path)) return `${quote(text)} has a tag or a digest; write "${path}"`;
  if (isRepository(text.toLowerCase())) return `${quote(text)} has upper case letters; write them in lower case`;
  return `${quote(text)} is no repository; write its path, such as "team/api"`;
}

/** The part of a name that comes before the tag and the digest. */
export function withoutTag(text: string): string {
  return text.replace(/(?::[\w.-]+)?(?:@.*)?$/s, "");
}

/** A text as messages have it: what somebody gives may be of any length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 300 ? `${text.slice(0, 300)}…` : text);
}
