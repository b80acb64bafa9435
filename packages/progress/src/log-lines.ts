import { stripControlSequences } from "./control-sequences.ts";

/** A line that has no end by here is cut, so that a log without line ends does not pile up. */
const longestLine = 16_384;

/** Lines that a piece of log completes, safe to print, and what begins the next one. */
export interface LogPiece {
  readonly lines: readonly string[];
  /** As it came: a control sequence may be cut in two. */
  readonly pending: string;
}

/** Joins a piece of log to what was pending and takes it apart into lines. */
export function readLog(pending: string, text: string): LogPiece {
  const lines = (pending + text).split("\n");
  const last = overwritten(lines.pop() ?? "");
  const cut = last.length > longestLine;
  if (cut) lines.push(last);
  return { lines: lines.map(printableLine), pending: cut ? "" : last };
}

/** A line as a terminal would show it in the end. */
export function printableLine(line: string): string {
  return stripControlSequences(overwritten(line));
}

/** A progress bar writes over itself with carriage returns; only its last state counts. A return at the end may belong to a line end. */
function overwritten(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return line.slice(text.lastIndexOf("\r") + 1);
}
