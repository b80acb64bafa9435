import { BuilderError } from "./builder-error.ts";

/** One thing that is wrong with options: where, and what. */
export interface OptionIssue {
  /** `tags[0]`, `secrets.npm`; empty for the options as a whole. */
  readonly path: string;
  readonly message: string;
}

/** The error for options that are wrong, with every issue in its message. */
export function invalidOptions(what: string, issues: readonly OptionIssue[]): BuilderError<"INVALID_OPTIONS"> {
  const lines = issues.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  return new BuilderError({
    code: "INVALID_OPTIONS",
    message: `Invalid options for ${what}: ${lines.join("; ")}`.replace(/([^.?!])$/, "$1."),
    details: { issues },
  });
}
