/** On every `BuilderError`, of any copy of this package. */
export const builderErrorMarker = Symbol.for("slipway.BuilderError");

const mask = "[redacted]";

/** What gives a secret away in free text, each with the part of the match that stays. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, `-----BEGIN $1----- ${mask}`],
  [/\b([a-z][a-z\d+.-]*:\/\/)[^\s/@:"']*:[^\s/@"']*@/gi, `$1${mask}@`],
  [/\b([a-z][a-z\d+.-]*:\/\/)(?!git@)[^\s/@:"']+@/gi, `$1${mask}@`],
  [/\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|digest|negotiate)\s+)?)[^\s"',]+/gi, `$1${mask}`],
  [/\b((?:basic|bearer)\s+)(?=[^\s"',]*[\d=])[\w.~+/=-]{16,}/gi, `$1${mask}`],
  [
    /(["'](?:auth|password|passwd|secret|token|access_?token|refresh_?token|id_?token|identity_?token|registry_?token|client_?secret|api_?key)["']\s*:\s*["'])(?:[^"'\\]|\\.)+/gi,
    `$1${mask}`,
  ],
  [
    /\b((?:[\w-]*[_-])?(?:password|passwd|secret|token|api_?key|signature|sig|credential)=)(?!\[redacted\])[^\s&"',;]+/gi,
    `$1${mask}`,
  ],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, mask],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|dckr_(?:pat|oat)_|xox[abprs]-)[\w-]{16,}/g, mask],
];

/**
 * Blanks out what looks like a secret in free text: passwords in URLs, authorization headers, tokens in queries and JSON, private
 * keys, and the token formats of well-known services. {@link BuilderError} does this by itself; use it before you log text
 * that came from a registry or from a configuration file.
 */
export function redactSecrets(text: string): string {
  return patterns.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text);
}

/** 64 KiB: an error stays something that can be logged, whatever a registry answered. */
const textLimit = 65_536;

function redactText(text: string): string {
  return redactSecrets(text.length > textLimit ? `${text.slice(0, textLimit)}…` : text);
}

/** A copy of plain data with every string in it redacted and capped. */
export function redactData<Value>(value: Value): Value;
export function redactData(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return value.map((item: unknown) => redactData(item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactData<unknown>(item)]));
}

/** Own properties of an error that say what failed and never hold a secret beyond their text. */
const harmlessProperties = new Set([
  "name",
  "message",
  "stack",
  "cause",
  "code",
  "errno",
  "syscall",
  "address",
  "port",
  "path",
  "hostname",
]);

/** How far down causes are followed: what lies deeper is left out. */
const maxDepth = 8;

/**
 * The cause of an error, safe to print: itself when nothing in it needs hiding, else a copy. Errors of HTTP libraries hang the request
 * with its headers on the error, and `console.log` prints all of it. What leads back to an error that it lies within is left out.
 */
export function redactCause(cause: unknown): unknown {
  return redactThrown(cause, 0, new Map());
}

interface Redacted {
  /** `undefined` while the error is being looked at. */
  readonly result: unknown;
  /** How far down it was met: nearer to the start more of it may be seen. */
  readonly depth: number;
}

/** @param redacted - What has become of the errors so far: each is looked at again only where it is met less far down. */
function redactThrown(cause: unknown, depth: number, redacted: Map<Error, Redacted>): unknown {
  if (!(cause instanceof Error)) return redactData(describeThrown(cause));
  // A BuilderError has been through this already.
  if (builderErrorMarker in cause) return cause;
  const known = redacted.get(cause);
  if (known !== undefined && known.depth <= depth) return known.result;
  if (depth > maxDepth) return undefined;
  redacted.set(cause, { result: undefined, depth: 0 });
  const result = redactError(cause, (inner) => redactThrown(inner, depth + 1, redacted));
  redacted.set(cause, { result, depth });
  return result;
}

function redactError(cause: Error, redactInner: (inner: unknown) => unknown): Error {
  const inner = cause.cause === undefined ? undefined : redactInner(cause.cause);
  const message = redactText(cause.message);
  const stack = cause.stack === undefined ? undefined : redactText(cause.stack);
  const joined = joinedErrors(cause);
  const errors = joined?.map(redactInner).filter((error) => error !== undefined);
  const harmless =
    Reflect.ownKeys(cause).every((key) => typeof key === "symbol" || isHarmlessProperty(key, joined)) &&
    errors?.length === joined?.length &&
    errors?.every((error, index) => error === joined?.[index]) !== false;
  if (harmless && message === cause.message && stack === cause.stack && inner === cause.cause) return cause;
  const options = inner === undefined ? undefined : { cause: inner };
  const copy: Error & { code?: unknown } =
    errors === undefined ? new Error(message, options) : new AggregateError(errors, message, options);
  copy.name = cause.name;
  if (stack !== undefined) copy.stack = stack;
  if ("code" in cause && typeof cause.code === "string") copy.code = redactText(cause.code);
  return copy;
}

/** What an `AggregateError` joins, unless somebody has put something else in the place of its list. */
function joinedErrors(cause: Error): readonly unknown[] | undefined {
  const errors: unknown = cause instanceof AggregateError ? cause.errors : undefined;
  return Array.isArray(errors) ? errors : undefined;
}

/** The errors that an `AggregateError` joins are looked at one by one. */
function isHarmlessProperty(key: string, joined: readonly unknown[] | undefined): boolean {
  return harmlessProperties.has(key) || (key === "errors" && joined !== undefined);
}

/** One line for anything that was thrown. */
export function describeThrown(thrown: unknown): string {
  if (thrown instanceof Error) return `${thrown.name}: ${thrown.message}`;
  if (typeof thrown === "string") return thrown;
  try {
    const text = JSON.stringify(thrown) as string | undefined;
    return text ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}
