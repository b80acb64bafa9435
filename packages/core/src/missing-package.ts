const notFoundCodes: readonly unknown[] = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"];
/** Where a loader gives no code, its verb tells: `Cannot find package`, `Failed to load url`, `Relative import path`. */
const notFoundWords = /\b(?:find|resolve|load url|import|access)\b/i;

/**
 * Whether an `import()` has failed because the package itself is not installed, in whatever words: Node's, Bun's, Deno's, Yarn's, or those of a
 * bundler. A package that is there may lack one that it needs: to install it again would be of no use then.
 *
 * @param thrown - By the `import()`.
 * @param name - As it was imported: `@aws-sdk/client-ecr`.
 */
export function isMissingPackage(thrown: unknown, name: string): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  const { message, code } = thrown as { readonly message?: unknown; readonly code?: unknown };
  // Further lines say who wanted it.
  const [first = ""] = String(message).split("\n");
  return (notFoundCodes.includes(code) || notFoundWords.test(first)) && namesPackage(first, name);
}

/** Whether a text is about a package, and not about a file in it, or about what it wants itself. */
function namesPackage(text: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<![\\w@./\\\\-])${escaped}(?![\\w@/\\\\-]|\\.\\w| tried to access)`).test(text);
}
