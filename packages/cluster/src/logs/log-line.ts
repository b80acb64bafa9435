/** The log of a container. */
export interface LogTarget {
  readonly namespace: string;
  readonly pod: string;
  /** @defaultValue the only container of the pod */
  readonly container?: string | undefined;
  /** Begins with the lines from then on, RFC 3339. @defaultValue from the beginning, as far as the node still has it */
  readonly sinceTime?: string | undefined;
  /** Begins with the last so many lines. */
  readonly tailLines?: number | undefined;
  /** The log of the container before its last restart. @defaultValue false */
  readonly previous?: boolean | undefined;
}

/** One line that a container printed. */
export interface LogLine {
  /** When the node received it, RFC 3339 with nanoseconds. */
  readonly timestamp: string;
  readonly text: string;
  /**
   * Lines before this one may be missing: after a reconnect the node did not have the last line any more, because it had rotated the log
   * file meanwhile.
   */
  readonly mayFollowGap?: true;
}

/** Splits what the API server sends with `timestamps=true`; `undefined` if the line has no timestamp. */
export function parseLogLine(line: string): LogLine | undefined {
  const space = line.indexOf(" ");
  const timestamp = space < 0 ? line : line.slice(0, space);
  if (!/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(timestamp)) return undefined;
  return { timestamp, text: space < 0 ? "" : line.slice(space + 1) };
}

/** Makes timestamps comparable as text: Go prints no trailing zeros, so that `.5Z` stands for `.500000000Z`. */
export function normalizeTimestamp(timestamp: string): string {
  const [, seconds = "", fraction = ""] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?/.exec(timestamp) ?? [];
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}
