/** One instruction, as the fake cluster runs it. */
export interface FakeStep {
  readonly name: string;
  readonly line: number;
  /** Printed on stdout. */
  readonly log: string;
  readonly durationMs: number;
  /** Anything but 0 fails the build. */
  readonly exitCode: number;
  /** Ids of the secrets that the step mounts. */
  readonly secrets: readonly string[];
}

/**
 * Reads as much of a Dockerfile as tests need: every line is a step, and `RUN` understands `echo <text>`, `sleep <seconds>` and
 * `exit <code>`, joined by `&&`, with `--mount=type=secret,id=<id>` before them. Everything else takes no time and succeeds.
 */
export function parseFakeDockerfile(text: string): readonly FakeStep[] {
  return text
    .split("\n")
    .map((line, index) => ({ name: line.trim(), line: index + 1 }))
    .filter(({ name }) => name !== "" && !name.startsWith("#"))
    .map(({ name, line }) => ({ name, line, ...runCommands(name) }));
}

function runCommands(instruction: string): Pick<FakeStep, "log" | "durationMs" | "exitCode" | "secrets"> {
  if (!instruction.startsWith("RUN ")) return { log: "", durationMs: 0, exitCode: 0, secrets: [] };
  const commands = instruction.replace(/^RUN (?:--\S+ )*/, "").split("&&");
  const argumentsOf = (name: string) =>
    commands
      .map((command) => command.trim())
      .flatMap((command) => (command.startsWith(`${name} `) ? [command.slice(name.length + 1)] : []));
  return {
    log: argumentsOf("echo")
      .map((text) => `${text}\n`)
      .join(""),
    durationMs: argumentsOf("sleep").reduce((sum, seconds) => sum + Number(seconds) * 1000, 0),
    exitCode: Number(argumentsOf("exit")[0] ?? 0),
    secrets: [...instruction.matchAll(/--mount=type=secret,id=([\w-]+)/g)].map((match) => match[1] ?? ""),
  };
}
