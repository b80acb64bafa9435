import { normalizeTimestamp } from "./log-line.ts";
import type { LogLine } from "./log-line.ts";

/** How far a log has been told, across connections. */
export interface LogPosition {
  /** Where the next connection begins, `undefined` at the beginning. The API has whole seconds only: what was told comes again. */
  readonly sinceTime: string | undefined;
  /** A new connection begins. */
  resume(): void;
  /** The line, if it has not been told yet. */
  accept(line: LogLine): LogLine | undefined;
}

/**
 * Makes the position at the beginning of a log.
 *
 * Several lines may carry the same timestamp, so that it counts them. Behind the last line that was told, everything is new, even
 * if the clock of the node was set back.
 */
export function createLogPosition(): LogPosition {
  let last: string | undefined;
  let lastTimestamp = "";
  let sameCount = 0;
  let catchUp: { remaining: number } | undefined;
  const tell = (line: LogLine, time: string): LogLine => {
    sameCount = time === last ? sameCount + 1 : 1;
    last = time;
    lastTimestamp = line.timestamp;
    return line;
  };
  return {
    get sinceTime() {
      return last === undefined ? undefined : lastTimestamp.replace(/\.\d+/, "");
    },
    resume: () => {
      if (last !== undefined) catchUp = { remaining: sameCount };
    },
    accept: (line) => {
      const time = normalizeTimestamp(line.timestamp);
      if (!catchUp || last === undefined) return tell(line, time);
      if (time < last) return undefined;
      if (time === last) {
        catchUp.remaining -= 1;
        if (catchUp.remaining === 0) catchUp = undefined;
        return undefined;
      }
      // The last line that was told is not there: the file has been rotated, or a part of its second has.
      catchUp = undefined;
      return tell({ ...line, mayFollowGap: true }, time);
    },
  };
}
