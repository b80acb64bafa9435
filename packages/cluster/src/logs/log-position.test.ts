import { expect, test } from "vitest";

import { parseLogLine } from "./log-line.ts";
import { createLogPosition } from "./log-position.ts";

/** A log whose clock stands still now and then, as `timestamps=true` shows it. */
const log = ["01.1", "01.1", "01.1", "01.25", "02", "02.000000001", "02.9", "02.9"].map((time, index) => ({
  timestamp: `2026-01-01T00:00:${time}Z`,
  text: `line ${index}`,
}));

test.each(Array.from({ length: log.length + 1 }, (_, cut) => cut))(
  "after a cut behind line %i each line is told once",
  (cut) => {
    const position = createLogPosition();
    const told = log.slice(0, cut).map((line) => position.accept(line));
    position.resume();
    const { sinceTime } = position;
    // The API server gives again what is in the same second.
    const again = log.filter(
      ({ timestamp }) => sinceTime === undefined || timestamp.slice(0, 19) >= sinceTime.slice(0, 19),
    );
    for (const line of again) told.push(position.accept(line));
    expect(told.filter((line) => line !== undefined)).toEqual(log);
  },
);

test("says that lines may be missing when the last one is not there any more", () => {
  const position = createLogPosition();
  position.accept({ timestamp: "2026-01-01T00:00:01.5Z", text: "a" });
  position.resume();
  const line = { timestamp: "2026-01-01T00:00:09Z", text: "z" };
  expect(position.accept(line)).toEqual({ ...line, mayFollowGap: true });
  expect(position.accept({ ...line, text: "zz" })).toEqual({ ...line, text: "zz" });
});

test("behind the last line everything is new, even if the clock was set back", () => {
  const position = createLogPosition();
  position.accept({ timestamp: "2026-01-01T00:00:05Z", text: "a" });
  position.resume();
  position.accept({ timestamp: "2026-01-01T00:00:05Z", text: "a" });
  expect(position.accept({ timestamp: "2026-01-01T00:00:01Z", text: "b" })?.text).toBe("b");
});

test("parses lines, empty ones and those of other offsets too", () => {
  expect(parseLogLine("2026-01-01T00:00:00.123Z  two spaces")).toEqual({
    timestamp: "2026-01-01T00:00:00.123Z",
    text: " two spaces",
  });
  expect(parseLogLine("2026-01-01T00:00:00+01:00 ")).toEqual({ timestamp: "2026-01-01T00:00:00+01:00", text: "" });
  expect(parseLogLine("failed to try resolving symlinks")).toBeUndefined();
});
