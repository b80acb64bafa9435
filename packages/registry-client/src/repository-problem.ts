import { namesUser, quoteReference } from "@slipway/core/errors";

import { isRepository } from "./image-reference.ts";

/** Where somebody has a user in front of a registry: what stands before the @ may be a password, so such a text is not quoted. */
export const userProblem = "Names a user; leave that out, and give it to the client as `credentials`";

/** Why a text is no path of a repository, and what is. */
export function repositoryProblem(text: string): string {
  if (namesUser(text)) return userProblem;
  const quoted = quoteReference(text);
  const path = withoutTag(text);
  if (isRepository(path)) {
    // What the quotation leaves out may be a password, so that the advice does so too.
    const advice = quoted.startsWith(`"${path}`) ? `"${path}"` : 'its path alone, such as "team/api"';
    return `${quoted} has a tag or a digest; write ${advice}`;
  }
  if (isRepository(text.toLowerCase())) return `${quoted} has upper case letters; write them in lower case`;
  return `${quoted} is no repository; write its path, such as "team/api"`;
}

/** The part of a name that comes before the tag and the digest. */
export function withoutTag(text: string): string {
  return text.replace(/(?::[\w.-]+)?(?:@.*)?$/s, "");
}
