/** What `npm test` was asked to run. */
export interface TestSelection {
  /** Runs only tests whose title begins with `<id>:`. */
  readonly id?: string;
  /** Test files, as vitest filters them. */
  readonly files: readonly string[];
}

/**
 * Reads the arguments of `npm test`.
 *
 * @throws Error with the usage when an argument is not known.
 */
export function parseTestArguments(argv: readonly string[]): TestSelection {
  const files: string[] = [];
  let id: string | undefined;
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? "";
    if (argument === "-t") {
      id = argv[(index += 1)];
      if (id === undefined || id === "") throw new Error("-t needs an id: npm test -- -t <id>");
    } else if (argument.startsWith("-")) {
      throw new Error(`Unknown option ${argument}. Usage: npm test -- [-t <id>] [file …]`);
    } else {
      files.push(argument);
    }
  }
  return id === undefined ? { files } : { id, files };
}

/**
 * The pattern for vitest's `-t`, which is an unanchored regular expression over `describe > test`. The id has to begin the title of
 * a test or of a `describe` and end at its colon, so that `EXEC` does not run `EXEC-CUT`.
 */
export function titlePattern(id: string): string {
  return `(^|> )${id.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}:`;
}
