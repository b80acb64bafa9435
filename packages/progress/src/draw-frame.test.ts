import type { BuildEvent } from "@slipway/core";
import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";

import { event, stateAfter } from "./__fixtures__/build-events.ts";
import { recordedBuild } from "./__fixtures__/recorded-builds.ts";
import { displayWidth } from "./display-width.ts";
import { drawFrame } from "./draw-frame.ts";

const begin = event("build-start", { name: "r/team/api:1", driver: "fake", tags: [] });
const step = (number: number, timeMs = 1000): BuildEvent =>
  event("step-start", { step: String(number), name: `[${number}/9] RUN make ${number}` }, { timeMs });
const log = (number: number, text: string): BuildEvent =>
  event("step-log", { step: String(number), stream: "stdout", text });
const frame = (events: readonly BuildEvent[], { columns = 60, rows = 24, nowMs = 3500 } = {}): string[] =>
  drawFrame(stateAfter(events), columns, rows, nowMs, false);

it("shows running steps with their time and the end of their log", () => {
  expect(frame([begin, step(1), log(1, "a\nb\nc\nd\ne\nhalf a li"), step(2, 2000)])).toEqual([
    "● r/team/api:1                                         2.5s",
    "  → #1 [1/9] RUN make 1                                2.5s",
    "      c",
    "      d",
    "      e",
    "      half a li",
    "  → #2 [2/9] RUN make 2                                1.5s",
  ]);
});

it("shows pods that do not run yet, contexts, pushes and tasks in bytes", () => {
  const events = [
    begin,
    event("pod-phase", { pod: "builder-0", phase: "pulling", node: "node-a" }),
    event("pod-phase", { pod: "builder-1", phase: "running", node: "node-b" }),
    event("context-progress", { context: "context", files: 340, sentFiles: 3, totalBytes: 3e7, sentBytes: 1.2e6 }),
    event("step-start", { step: "a", name: "FROM base" }),
    event("step-progress", { step: "a", task: "sha256:1", current: 5e6, total: 1e7 }),
    event("step-progress", { step: "a", task: "sha256:2", current: 1e7, total: 1e7 }),
    event("push-progress", { reference: "r/team/api:1", sentBytes: 1e6, totalBytes: 2e6 }),
  ];
  expect(frame(events).map((line) => line.replace(/ +[\d.]+s$/, ""))).toEqual([
    "● r/team/api:1",
    "  → pod builder-0 pulling on node-a",
    "  → context: sent 3 of 340 files, 1.2 MB of 30.0 MB",
    "  → #1 FROM base",
    "      sha256:1 5.0 MB of 10.0 MB",
    "  → push r/team/api:1: 1.0 MB of 2.0 MB",
  ]);
});

it("leaves out what has ended", () => {
  expect(frame([begin, step(1), event("step-end", { step: "1", cached: true })])).toHaveLength(1);
  expect(frame(recordedBuild("first"))).toEqual([]);
});

it("times steps by its own clock where the engine's differs", () => {
  const [line] = frame([event("step-start", { step: "1", name: "x" }, { timeMs: 1_000_000 })], {
    nowMs: 1_000_500,
  }).slice(1);
  expect(line).toMatch(/0\.5s$/);
  expect(frame([begin, step(1)], { nowMs: 0 })[1]).toMatch(/0\.0s$/);
});

it("has fewer lines than the terminal has rows: first log goes, then steps", () => {
  const steps = [1, 2, 3, 4, 5].flatMap((number) => [step(number), log(number, "one\ntwo\n")]);
  for (let rows = 1; rows < 20; rows++)
    expect(frame([begin, ...steps], { rows }).length).toBeLessThanOrEqual(Math.max(1, rows - 1));
  const short = frame([begin, ...steps], { rows: 9 });
  expect(short.filter((line) => line.includes("→"))).toHaveLength(5);
  expect(short.filter((line) => line.includes("two"))).toHaveLength(2);
  expect(frame([begin, ...steps], { rows: 5 }).at(-1)).toBe("… and 3 more");
});

it.each([1, 2, 5, 10, 23, 24, 40])("fits into %d columns, also with wide characters", (columns) => {
  const events = [
    begin,
    event("step-start", { step: "1", name: "RUN echo 日本語の長い行です 👨‍👩‍👧" }),
    log(1, "日本語の長い行です\tx\n"),
  ];
  for (const colors of [true, false]) {
    const lines = drawFrame(stateAfter(events), columns, 24, 3000, colors);
    for (const line of lines) {
      expect(displayWidth(stripVTControlCharacters(line))).toBeLessThanOrEqual(Math.max(1, columns - 1));
    }
  }
});

it("obeys no log and no name", () => {
  const evil = "\u001b[2J\u001b[10A\u001b]0;title\u0007over\u0007 \u009b3Athere";
  const lines = frame([begin, event("step-start", { step: "1", name: evil }), log(1, `${evil}\n`), log(1, evil)]);
  expect(lines.join("\n")).not.toMatch(/[^\P{Control}\n]/u);
  expect(lines[2]).toBe("      over there");
});

it("uses colours only when told to", () => {
  const state = stateAfter([begin, step(1)]);
  expect(drawFrame(state, 60, 24, 1000, true).join("")).toContain("\u001b[36m");
  expect(drawFrame(state, 60, 24, 1000, false).join("")).not.toContain("\u001b");
});

it("tells builds apart by the short form of their names", () => {
  const other = event("build-queue", { name: "r/team/web:1", position: 2 }, { buildId: "build-2" });
  expect(frame([begin, other]).map((line) => line.replace(/ +[\d.]+s$/, ""))).toEqual([
    "● api:1",
    "· web:1 queued at position 2",
  ]);
});
