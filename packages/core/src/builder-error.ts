import type { Operation } from "./operation.ts";
import type { Feature } from "./feature.ts";
import { builderErrorMarker, describeThrown, redactCause, redactData, redactSecrets } from "./redaction.ts";

/** A pod and its Kubernetes events, in the words of `kubectl describe`. */
export type PodDetails = { namespace: string; pod?: string; events: readonly string[] };

/** A registry, what it answered, and the sources of the credentials that were tried (never the credentials). */
export type RegistryDetails = {
  registry: string;
  status?: number;
  diagnostics: readonly string[];
  triedCredentials: readonly string[];
};

/** The closed set of codes, and what an error of each carries. */
export interface BuilderErrorDetails {
  /** An option has a wrong name, type or value. */
  INVALID_OPTIONS: { issues: readonly { path: string; message: string }[] };
  /** The driver does not declare what was asked for; nothing was started. */
  UNSUPPORTED_FEATURE: { features: readonly (Feature | Operation)[] };
  /** No build has this id, or its record has expired. */
  BUILD_NOT_FOUND: { buildId: string };
  /** `image()` was asked of a build none of whose outputs is an image. */
  NO_IMAGE: { outputs: readonly string[] };
  /** The signal fired, the run was left, the builder closed, somebody cancelled, or a later build of the same image took its place (`supersedes`). */
  ABORTED: { reason: string; supersededBy?: string };
  /** The call took longer than it may. */
  TIMEOUT: { timeoutMs: number };
  /** Missing, unreadable, or changed while it was read. */
  CONTEXT_INVALID: { path: string };
  /** The connection broke while the context was on its way, or an archive of the image on its way back. */
  CONTEXT_SYNC_FAILED: { sentBytes: number };
  /** The Dockerfile is at fault. */
  BUILD_FAILED: { step?: string; exitCode?: number; location?: { file: string; line: number }; logTail: string };
  /** A step or the builder went over its memory limit. */
  OUT_OF_MEMORY: PodDetails & { limit?: string };
  /** The pod used more disk than it may. */
  DISK_FULL: PodDetails;
  /** No node can run the pod. */
  UNSCHEDULABLE: PodDetails;
  /** A node cannot pull the image of the builder itself. */
  IMAGE_PULL_FAILED: PodDetails & { image: string };
  /** Evicted, deleted, or lost with its node. */
  POD_LOST: PodDetails;
  /** Unreadable, not a kubeconfig, or without the context asked for. */
  KUBECONFIG_INVALID: { path: string; context?: string };
  /** The API server does not answer, or not usably. */
  CLUSTER_UNREACHABLE: { server: string };
  /** The API server does not accept the credentials. */
  CLUSTER_UNAUTHORIZED: { server: string; user?: string };
  /** The namespace does not exist, or is being deleted. */
  NAMESPACE_NOT_FOUND: { namespace: string };
  /** A permission is missing, or a policy of the namespace refuses the pod. */
  FORBIDDEN: { verb: string; resource: string; namespace?: string };
  /** The registry wants other credentials. */
  REGISTRY_UNAUTHORIZED: RegistryDetails;
  /** The registry does not answer, or not usably. */
  REGISTRY_UNAVAILABLE: RegistryDetails;
  /** The registry understood and refuses. */
  REGISTRY_REFUSED: RegistryDetails;
  /** The repository must be created before anybody can push to it. */
  REPOSITORY_NOT_FOUND: RegistryDetails & { repository: string };
  /** `beforeTag` did not let the image through; none of the destinations' tags has moved, and none of cosign's. */
  PUBLISH_REFUSED: { reference: string; reason: string };
  /** The registry serves something else than was pushed. */
  DIGEST_MISMATCH: { expected: string; actual?: string };
  /** A defect in Slipway or a driver. */
  INTERNAL: { thrown: string };
}

/** What an error is about; docs/errors.md has cause and remedy of each. */
export type BuilderErrorCode = keyof BuilderErrorDetails;

/** What an error is made of. */
export interface BuilderErrorInit<Code extends BuilderErrorCode> {
  /** Types `details`. */
  readonly code: Code;
  /** What happened, to what, and what to do about it; redacted by the constructor. */
  readonly message: string;
  readonly details: Readonly<BuilderErrorDetails[Code]>;
  /** @defaultValue by code: true for faults of the infrastructure */
  readonly retryable?: boolean;
  readonly driver?: string;
  readonly cause?: unknown;
}

/** Whether an error of this code is worth another attempt when whoever threw it does not say. */
const retryableByCode: Readonly<Record<BuilderErrorCode, boolean>> = {
  INVALID_OPTIONS: false,
  UNSUPPORTED_FEATURE: false,
  BUILD_NOT_FOUND: false,
  NO_IMAGE: false,
  ABORTED: false,
  TIMEOUT: false,
  CONTEXT_INVALID: false,
  CONTEXT_SYNC_FAILED: true,
  BUILD_FAILED: false,
  // The next attempt gets the same memory, the same disk, the same cluster.
  OUT_OF_MEMORY: false,
  DISK_FULL: false,
  UNSCHEDULABLE: false,
  IMAGE_PULL_FAILED: false,
  POD_LOST: true,
  KUBECONFIG_INVALID: false,
  CLUSTER_UNREACHABLE: true,
  CLUSTER_UNAUTHORIZED: false,
  NAMESPACE_NOT_FOUND: false,
  FORBIDDEN: false,
  REGISTRY_UNAUTHORIZED: false,
  REGISTRY_UNAVAILABLE: true,
  REGISTRY_REFUSED: false,
  REPOSITORY_NOT_FOUND: false,
  PUBLISH_REFUSED: false,
  DIGEST_MISMATCH: false,
  INTERNAL: false,
};

/** Every code, in the order in which {@link BuilderErrorDetails} documents them. */
export const builderErrorCodes: readonly BuilderErrorCode[] = Object.freeze(
  Object.keys(retryableByCode) as BuilderErrorCode[],
);

/**
 * The one error of Slipway: what `result()` rejects with, what operations throw, what drivers throw. There are no subclasses: `code`
 * says what happened and types `details`. Compare with {@link BuilderError.isInstance}, which holds across copies of this package.
 */
export class BuilderError<Code extends BuilderErrorCode = BuilderErrorCode> extends Error {
  readonly code: Code;
  /** What the failure concerns, by `code`. */
  readonly details: Readonly<BuilderErrorDetails[Code]>;
  /** Whether the same call may succeed later without any change. */
  readonly retryable: boolean;
  /** Name of the driver at work, if one was. */
  declare readonly driver?: string;

  constructor(init: BuilderErrorInit<Code>) {
    const cause = init.cause === undefined ? undefined : redactCause(init.cause);
    super(redactSecrets(init.message), cause === undefined ? undefined : { cause });
    Object.defineProperty(this, builderErrorMarker, { value: true });
    Object.defineProperty(this, "name", { value: "BuilderError", configurable: true, writable: true });
    this.code = init.code;
    this.details = Object.freeze(redactData(init.details));
    this.retryable = init.retryable ?? retryableByCode[init.code];
    if (init.driver !== undefined) this.driver = init.driver;
  }

  /** Plain data for events and other processes; {@link BuilderError.from} turns it into an error again. */
  toJSON(): BuilderErrorData {
    const { code, message, details, retryable, driver } = this;
    return { code, message, details, retryable, ...(driver === undefined ? {} : { driver }) } as BuilderErrorData;
  }

  /** Whether something is a `BuilderError`, of this or another copy of this package; the result narrows by `code`. */
  static isInstance(error: unknown): error is AnyBuilderError {
    return (
      typeof error === "object" && error !== null && (error as Record<symbol, unknown>)[builderErrorMarker] === true
    );
  }

  /** The one funnel: takes anything thrown, or the JSON of an error. What is neither becomes `INTERNAL`, an `AbortError` `ABORTED`. */
  static from(error: unknown): AnyBuilderError {
    if (BuilderError.isInstance(error)) return error;
    if (isErrorData(error)) return new BuilderError(error) as AnyBuilderError;
    const thrown = describeThrown(error);
    if (error instanceof Error && error.name === "AbortError")
      return new BuilderError({
        code: "ABORTED",
        message: `The call was aborted: ${error.message}`,
        details: { reason: error.message },
        cause: error,
      });
    return new BuilderError({
      code: "INTERNAL",
      message: `Something unexpected was thrown: ${thrown}. This is a defect in Slipway or a driver; please report it.`,
      details: { thrown },
      cause: error,
    });
  }
}

function isErrorData(value: unknown): value is BuilderErrorData {
  if (typeof value !== "object" || value === null || value instanceof Error) return false;
  const { code, message, details } = value as Record<string, unknown>;
  return (
    typeof code === "string" &&
    Object.hasOwn(retryableByCode, code) &&
    typeof message === "string" &&
    typeof details === "object" &&
    details !== null
  );
}

/** An error of any code; `code` narrows it. */
export type AnyBuilderError = { [Code in BuilderErrorCode]: BuilderError<Code> }[BuilderErrorCode];

/** An error as plain data: in events, across processes. */
export type BuilderErrorData = { [Code in BuilderErrorCode]: Omit<BuilderErrorInit<Code>, "cause"> }[BuilderErrorCode];
