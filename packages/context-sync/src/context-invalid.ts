import { BuilderError } from "@slipway/core";

/** The error for a context that cannot be used; `path` names the file, folder or pattern at fault. */
export function contextInvalid(path: string, message: string, cause?: unknown): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message,
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The `code` of a Node system error, such as `ENOENT`. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error && "errno" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
