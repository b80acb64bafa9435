import { invalidOptions, namesUser, quoteReference } from "@slipway/core/errors";

import { imageReferenceProblem, isRepository, namedRegistry, parseImageReference } from "./image-reference.ts";
import { isSameRegistry, ownReference } from "./own-reference.ts";
import { repositoryProblem, userProblem, withoutTag } from "./repository-problem.ts";

/**
 * The repository of a registry that somebody means: by its path alone, or by a name of an image in it, whose tag does not count.
 *
 * A text that begins with what engines take for a registry names that one. A repository that is called like a registry, as in
 * `mirror.example.com/docker.io/library/busybox`, is meant by its name in full.
 *
 * @throws `INVALID_OPTIONS` for what is no repository, or another registry's
 */
export function ownRepository(registry: string, named: unknown): string {
  if (typeof named !== "string") return ownReference(registry, named, "repository").repository;
  if (namesUser(named)) throw noRepository(userProblem);
  const host = namedRegistry(named);
  if (host === undefined) {
    if (!isRepository(named)) throw noRepository(repositoryProblem(named));
    return named;
  }
  // Upper case letters alone make engines take `Team` for a registry: nobody means one.
  const isMisspelt = host !== "localhost" && !/[.:]/.test(host);
  const problem = isMisspelt ? repositoryProblem(named) : imageReferenceProblem(named);
  if (problem !== undefined) throw noRepository(problem);
  const reference = parseImageReference(named);
  if (!isSameRegistry(reference.registry, registry)) throw noRepository(foreign(registry, named, host));
  return reference.repository;
}

function foreign(registry: string, text: string, host: string): string {
  const path = withoutTag(text);
  const here = isRepository(path)
    ? `, or give { registry: "${registry}", repository: "${path}" } for one that is called so there`
    : "";
  return `${quoteReference(text)} is not a repository of ${registry}; ask a client of ${host}${here}`;
}

function noRepository(message: string): Error {
  return invalidOptions("checkPush", [{ path: "repository", message }]);
}
