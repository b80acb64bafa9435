/** Where output goes; `process.stdout` and `process.stderr` fit. */
export interface RenderStream {
  /** As of a `Writable`. */
  write(text: string): unknown;
  /** Whether this is a terminal. @defaultValue `false` */
  readonly isTTY?: boolean | undefined;
  /** Size of the terminal, read for every frame. @defaultValue 80 */
  readonly columns?: number | undefined;
  /** @defaultValue 24 */
  readonly rows?: number | undefined;
  /** True while the stream cannot take more; frames are left out then. */
  readonly writableNeedDrain?: boolean | undefined;
}

/** `auto`: a terminal if the stream is one, but neither in CI nor where `TERM` is `dumb`. */
export type RenderMode = "auto" | "terminal" | "plain";

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What `auto` means for a stream. */
export function chooseMode(mode: RenderMode, stream: RenderStream, env: Environment): "terminal" | "plain" {
  if (mode !== "auto") return mode;
  return stream.isTTY === true && env["TERM"] !== "dumb" && !isSet(env["CI"]) ? "terminal" : "plain";
}

/** Whether to use colours: not if `NO_COLOR` has any value (no-color.org), nor on a dumb terminal. */
export function chooseColors(env: Environment): boolean {
  return (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** The size of a stream; a pseudo terminal of which nobody told the size says 0. */
export function sizeOf({ columns, rows }: RenderStream): { readonly columns: number; readonly rows: number } {
  return { columns: positive(columns) ?? 80, rows: positive(rows) ?? 24 };
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0" && value !== "false";
}
