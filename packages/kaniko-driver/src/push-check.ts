import { BuilderError, type Credential, type DriverCall } from "@slipway/core";
import { parseImageReference, type ImageReference } from "@slipway/registry-client";

import { repositoryName, type AcceptedCredentials } from "./accepted-credentials.ts";
import { writesOf, type BuildWrites, type FoldedBuild } from "./build-plan.ts";
import { isClusterName, isNamedOutside, type BuildRegistries } from "./build-registries.ts";
import { refusedCache, withoutCache } from "./refused-cache.ts";

/** A repository that a build writes to. */
export interface PushTarget extends Pick<ImageReference, "registry" | "repository"> {
  /** The index of several platforms goes there as well, which this process pushes. */
  readonly takesIndex: boolean;
  /** Whether somebody has named it, if it is the cache. */
  readonly cache?: "named" | "default";
}

/** What is known of a build's registries before anything of it is in the cluster. */
export interface PushAnswers {
  /** Registries that are reached from the pod of the build only. */
  readonly inside: ReadonlySet<string>;
  /** What has to be asked from there, since it could not be asked before. */
  readonly unasked: readonly PushTarget[];
  /** What it was that let the build in. */
  readonly accepted: AcceptedCredentials;
  /** Whether the cache, which nobody has named, lets this build push nothing. */
  readonly isCacheRefused: boolean;
}

/** Where the questions go, and whose they are. */
export interface PushQuestions {
  readonly folded: FoldedBuild;
  readonly registries: Pick<BuildRegistries, "client" | "onlyInPod">;
  readonly call: Pick<DriverCall, "signal" | "emit">;
}

/** The repositories that a build writes to, each once. */
export function pushTargets(folded: FoldedBuild): readonly PushTarget[] {
  const { pushed, cache } = writesOf(folded);
  const takesIndex = folded.request.platforms.length > 1;
  const targets = [
    ...(cache?.isWritten === true ? [cacheTarget(cache)] : []),
    ...pushed.map((tag) => ({ ...parseImageReference(tag), takesIndex })),
  ];
  return [...new Map(targets.map((target) => [repositoryName(target), target])).values()];
}

function cacheTarget({ repository, isNamed }: NonNullable<BuildWrites["cache"]>): PushTarget {
  return { ...parseImageReference(repository), takesIndex: false, cache: isNamed ? "named" : "default" };
}

/**
 * Asks every registry that a build writes to for permission, while there is nothing of the build yet: those of the cluster through their own Services, the others
 * from here. Who does not answer is asked again from the pod of the build. A cache that nobody has named may refuse: that is a warning.
 *
 * @param namespace - Of Services whose names say none.
 * @throws BuilderError REGISTRY_UNAUTHORIZED with each candidate that was tried, REPOSITORY_NOT_FOUND, REGISTRY_REFUSED, REGISTRY_UNAVAILABLE
 */
export async function askWithoutPod(questions: PushQuestions, namespace: string): Promise<PushAnswers> {
  const { folded } = questions;
  const hosts = writesOf(folded).pushed.map((tag) => parseImageReference(tag).registry);
  // Then nothing is known of them, but that the pod reaches them.
  if (!folded.request.preflight)
    return { inside: new Set(hosts), unasked: [], accepted: new Map(), isCacheRefused: false };
  const unasked: PushTarget[] = [];
  const accepted = new Map<string, Credential>();
  const refused: BuilderError[] = [];
  await Promise.all(
    pushTargets(folded).map(async (target) => {
      const answer = isNamedOutside(target.registry, namespace) ? await askForPush(target, questions) : notAsked;
      if (answer.reason !== undefined) unasked.push(target);
      if (answer.credential !== undefined) accepted.set(repositoryName(target), answer.credential);
      if (answer.refused !== undefined) refused.push(answer.refused);
    }),
  );
  for (const error of refused) questions.call.emit(withoutCache(error));
  const inside = new Set([...hosts.filter(isClusterName), ...unasked.map(({ registry }) => registry)]);
  return { inside, unasked, accepted, isCacheRefused: refused.length > 0 };
}

/**
 * Asks from the pod of the build. What is not answered there either is said, and shows when kaniko pushes. Kaniko goes on where its cache refuses, unless the
 * build pushes nothing else.
 *
 * @throws as {@link askWithoutPod}
 */
export async function askFromPod(targets: readonly PushTarget[], questions: PushQuestions): Promise<void> {
  await Promise.all(
    targets.map(async (target) => {
      const { reason, refused } = await askForPush(target, questions);
      if (refused !== undefined && writesOf(questions.folded).pushed.length === 0) throw refused;
      if (refused !== undefined) questions.call.emit(withoutCache(refused));
      if (reason !== undefined) questions.call.emit(unanswered(target, reason));
    }),
  );
}

/** Whoever does not answer within this time is asked in another way, or not at all. */
const checkTimeoutMs = 10_000;

/** What is known of a repository that may be pushed to, or why nothing is known. */
interface PushAnswer {
  readonly reason?: string;
  readonly credential?: Credential | undefined;
  /** By a cache that the build can do without. */
  readonly refused?: BuilderError;
}

const notAsked: PushAnswer = { reason: "nobody was asked" };

async function askForPush(target: PushTarget, { folded, registries, call }: PushQuestions): Promise<PushAnswer> {
  const { registry, repository, takesIndex } = target;
  const { createRepository } = folded.request;
  const limit = AbortSignal.any([call.signal, AbortSignal.timeout(checkTimeoutMs)]);
  try {
    const limited = { signal: limit, createRepository };
    const { credential } = await registries.client(registry).checkPush({ registry, repository }, limited);
    return { credential };
  } catch (error) {
    if (call.signal.aborted) throw error;
    if (isInconclusive(error))
      return { reason: limit.aborted ? `no answer within ${checkTimeoutMs / 1000} s` : error.message };
    const reason = takesIndex || !isUnauthorized(error) ? undefined : await registries.onlyInPod(target, call.signal);
    if (reason === undefined) return refusal(target, error);
    call.emit(unanswered(target, reason));
    return {};
  }
}

function refusal({ cache }: PushTarget, error: unknown): PushAnswer {
  if (cache === undefined || !BuilderError.isInstance(error) || !("registry" in error.details)) throw error;
  const refused = refusedCache(error);
  if (cache === "named") throw refused;
  return { refused };
}

function unanswered({ registry, repository }: PushTarget, reason: string) {
  const message = `Whether ${registry}/${repository} can be pushed to will only show at the end of the build: ${reason}`;
  return { type: "warning", message } as const;
}

function isUnauthorized(error: unknown): boolean {
  return BuilderError.isInstance(error) && error.code === "REGISTRY_UNAUTHORIZED";
}

/** Neither of these is what a registry has said: the executor may reach it where this process does not. */
function isInconclusive(error: unknown): error is BuilderError {
  if (!BuilderError.isInstance(error)) return false;
  if (error.code === "REGISTRY_UNAVAILABLE") return error.details.status === undefined;
  return ["ABORTED", "TIMEOUT", "CLUSTER_UNREACHABLE", "NAMESPACE_NOT_FOUND", "FORBIDDEN"].includes(error.code);
}
