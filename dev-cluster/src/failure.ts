/** A failed step: what happened, where the details are, and what to do about it. */
export class ClusterFailure extends Error {
  override readonly name = "ClusterFailure";
  readonly remedy: string;
  readonly logFile: string | undefined;
  /** The innermost step that failed. */
  readonly step: string | undefined;

  constructor(
    message: string,
    options: { remedy: string; logFile?: string | undefined; step?: string; cause?: unknown },
  ) {
    super(options.step === undefined ? message : `Step "${options.step}" failed: ${message}`, { cause: options.cause });
    this.step = options.step;
    this.remedy = options.remedy;
    this.logFile = options.logFile;
  }
}

/** Renders an error for a terminal: the message, then the log file and the remedy, when known. */
export function describeFailure(error: unknown): string {
  if (!(error instanceof ClusterFailure))
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const log = error.logFile ? `\n  log:    ${error.logFile}` : "";
  return `${error.message}${log}\n  remedy: ${error.remedy}`;
}

/** Ends a program that cannot go on without a cluster, with the description instead of a stack trace. */
export function exitWithFailure(error: unknown): never {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exit(1);
}
