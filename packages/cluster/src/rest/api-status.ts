/** The `Status` object with which the API server explains a failure. */
export interface ApiStatus {
  /** HTTP status. */
  readonly code: number;
  /** One word, such as `NotFound` or `AlreadyExists`. */
  readonly reason: string;
  readonly message: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

const keptBodyBytes = 4096;

/** Reads an error response, whether it is a `Status` or the text of a proxy on the way. */
export function parseApiStatus(httpStatus: number, body: string): ApiStatus {
  try {
    const parsed = JSON.parse(body) as Partial<ApiStatus> & { kind?: string };
    if (parsed.kind === "Status") {
      return {
        code: parsed.code ?? httpStatus,
        reason: parsed.reason ?? "",
        message: parsed.message ?? "",
        ...(parsed.details ? { details: parsed.details } : {}),
      };
    }
  } catch {
    // Not JSON: plain text, kept as the message.
  }
  return { code: httpStatus, reason: "", message: body.slice(0, keptBodyBytes).trim() };
}

const statusKey = Symbol.for("slipway.apiStatus");

/** Hangs the answer on an error, beside what the error says to people. */
export function withApiStatus<Failure extends Error>(error: Failure, status: ApiStatus): Failure {
  return Object.defineProperty(error, statusKey, { value: status });
}

/**
 * What the API server answered, if that is why `error` was thrown.
 *
 * @example
 * ```ts
 * if (apiStatusOf(error)?.reason === "AlreadyExists") return;
 * ```
 */
export function apiStatusOf(error: unknown): ApiStatus | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (statusKey in cause) return cause[statusKey] as ApiStatus;
  }
  return undefined;
}
