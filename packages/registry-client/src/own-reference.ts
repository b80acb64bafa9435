import { invalidOptions, namesUser, quoteReference } from "@slipway/core/errors";

import type { ImageReference } from "./image-reference.ts";
import { formatImageReference, isRepository, parseImageReference } from "./image-reference.ts";
import { repositoryProblem, userProblem } from "./repository-problem.ts";

/**
 * An image of this registry.
 *
 * @param path - Of the option that names it.
 * @throws `INVALID_OPTIONS` for what names none, or another registry's
 */
export function ownReference(registry: string, named: unknown, path = "reference"): ImageReference {
  const refused = (message: string): Error => invalidOptions("the registry client", [{ path, message }]);
  const reference = typeof named === "string" ? parseImageReference(named) : named;
  if (!hasNames(reference)) throw refused("Must name an image: registry/repository:tag, or its parts");
  const problem = partProblem(reference);
  if (problem !== undefined) throw refused(problem);
  if (isSameRegistry(reference.registry, registry)) return reference;
  const text = formatImageReference(reference);
  throw refused(namesUser(text) ? userProblem : `${text} is not an image of ${registry}`);
}

/** Whether two names are those of one registry: Docker Hub has two. */
export function isSameRegistry(one: string, other: string): boolean {
  const [name, otherName] = [one, other].map((each) => (each === "index.docker.io" ? "docker.io" : each));
  return name === otherName;
}

function hasNames(value: unknown): value is ImageReference {
  if (typeof value !== "object" || value === null) return false;
  const { registry, repository, tag = "", digest = "" } = value as Partial<Record<keyof ImageReference, unknown>>;
  return [registry, repository, tag, digest].every((part) => typeof part === "string");
}

/** One step of an address. Manifests name each other by what is no tag and no digest, too: that a registry does not have it, it says itself. */
const addressStep = /^(?!\.{1,2}$)[\w.:+=-]+$/;

/** Parts of a reference become parts of an address: what would lead elsewhere is none. The registry is but compared. */
function partProblem({ repository, tag, digest }: ImageReference): string | undefined {
  if (!isRepository(repository)) return repositoryProblem(repository);
  if (tag !== undefined && !addressStep.test(tag)) return `${quoteReference(tag)} is no tag`;
  return digest === undefined || addressStep.test(digest) ? undefined : `${quoteReference(digest)} is no digest`;
}
