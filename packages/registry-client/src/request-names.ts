import type { OptionIssue } from "@slipway/core/errors";
import { invalidOptions, quoteReference } from "@slipway/core/errors";

import { isDigest, isRepository } from "./image-reference.ts";
import { repositoryProblem } from "./repository-problem.ts";

/** Refuses a path of a repository that would make another address than its own. @throws `INVALID_OPTIONS` */
export function requireRepository(repository: unknown): void {
  refuse(repositoryIssues(repository));
}

/** The same of a repository and a digest. @throws `INVALID_OPTIONS` */
export function requireBlobName(repository: unknown, digest: unknown): void {
  refuse([...repositoryIssues(repository), ...digestIssues(digest)]);
}

/** Refuses what is no digest of a blob. @throws `INVALID_OPTIONS` */
export function requireDigest(digest: unknown): void {
  refuse(digestIssues(digest));
}

function repositoryIssues(repository: unknown): readonly OptionIssue[] {
  if (typeof repository !== "string") return [{ path: "repository", message: "Must be a string" }];
  return isRepository(repository) ? [] : [{ path: "repository", message: repositoryProblem(repository) }];
}

function digestIssues(digest: unknown): readonly OptionIssue[] {
  if (typeof digest !== "string") return [{ path: "digest", message: "Must be a string" }];
  return isDigest(digest) ? [] : [{ path: "digest", message: `${quoteReference(digest)} is no digest` }];
}

function refuse(issues: readonly OptionIssue[]): void {
  if (issues.length > 0) throw invalidOptions("the registry client", issues);
}
