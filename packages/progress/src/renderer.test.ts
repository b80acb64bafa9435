import type { BuildEvent } from "@slipway/core";
import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { event } from "./__fixtures__/build-events.ts";
import { recordedBuild } from "./__fixtures__/recorded-builds.ts";
import { Screen } from "./__fixtures__/screen.ts";
import { createRenderer } from "./renderer.ts";
import { chooseColors, chooseMode } from "./render-stream.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const begin = event("build-start", { name: "r/team/api:1", driver: "fake", tags: [] });
const step = (name: string): BuildEvent => event("step-start", { step: name, name });
const stepEnd = (name: string): BuildEvent => event("step-end", { step: name, cached: false });
const log = (text: string): BuildEvent => event("step-log", { step: "RUN make", stream: "stdout", text });

/** Renders events in real distance, on the fake clock. */
function replay(screen: Screen, events: readonly BuildEvent[], onEvent: () => void = () => undefined): void {
  const renderer = createRenderer({ stream: screen, mode: "terminal", colors: true });
  let timeMs = events[0]?.timeMs ?? 0;
  for (const each of events) {
    vi.advanceTimersByTime(Math.max(0, each.timeMs - timeMs));
    timeMs = Math.max(timeMs, each.timeMs);
    renderer.render(each);
    onEvent();
  }
  renderer.end();
}

it("leaves the story of a build on the terminal", () => {
  const screen = new Screen(60);
  replay(screen, recordedBuild("first"));
  expect(screen.lines).toEqual([
    "✔ pod slipway-75c7bdcbb8-58lg4 running on node-a",
    "✔ #1 [internal] load build definition from Dockerfile  0.0s",
    "✔ #2 [internal] load metadata for registry.slipway-de… 0.0s",
    "✔ #3 [internal] load .dockerignore                     0.0s",
    "✔ #4 [internal] load build context                     0.0s",
    "✔ #5 [base 1/1] FROM registry.slipway-dev.svc:5000/ba… 0.0s",
    "✔ context: sent 3 of 3 files, 6.0 MB of 6.0 MB",
    "✔ #6 [compile 1/2] COPY . /src                         0.0s",
    "✔ #7 [compile 2/2] RUN for i in 1 2 3; do echo compil… 1.3s",
    "✔ #8 [stage-2 1/2] COPY --from=compile /src/a /a       0.0s",
    "✔ #9 [stage-2 2/2] RUN cat /a && echo hi               0.3s",
    "✔ #10 exporting to image                               0.1s",
    "✔ built registry.slipway-dev.svc:5000/e2e/demo@sha256:b855fe",
    "02deb57b15f51645c8a3d751764bf0aeb19d9007beecaa5df0fba60472 i",
    "n 4.9s",
  ]);
});

it("shows what runs below what is over", () => {
  const screen = new Screen(60);
  const seen = new Set<string>();
  replay(screen, recordedBuild("first"), () => {
    vi.advanceTimersByTime(100);
    seen.add(
      screen.lines
        .slice(-3)
        .map((line) => line.replace(/ +[\d.]+s$/, ""))
        .join("\n"),
    );
  });
  expect([...seen]).toContain(
    "● registry.slipway-dev.svc:5000/e2e/demo:1\n  → pod slipway-75c7bdcbb8-58lg4 pulling on node-a",
  );
  expect([...seen].some((lines) => lines.endsWith("compiling part 1\n      compiling part 2"))).toBe(true);
});

it("shows a failure with error, log and location, each once", () => {
  const screen = new Screen(200);
  replay(screen, recordedBuild("failing"));
  const from = screen.lines.findIndex((line) => line.startsWith("✖"));
  expect(screen.lines.slice(from)).toEqual([
    `✖ #7 [3/3] RUN echo before; echo trouble >&2; exit 3${" ".repeat(143)}0.1s`,
    '  process "/bin/sh -c echo before; echo trouble >&2; exit 3" did not complete successfully: exit code: 3',
    "  │ before",
    "  │ trouble",
    "✖ failed registry.slipway-dev.svc:5000/e2e/demo:1: BUILD_FAILED: [3/3] RUN echo before; echo trouble >&2; exit 3 (Dockerfile:3) ended with exit code 3. What it printed last is in details.logTail.",
    "  at Dockerfile:3",
  ]);
  expect(screen.lines.some((line) => /COPY a \/a +CACHED$/.test(line))).toBe(true);
});

it("shows warnings with their place and URL, uncut", () => {
  const screen = new Screen(60);
  replay(screen, recordedBuild("warning"));
  expect(screen.lines.join("")).toContain(
    "! Dockerfile:1: FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1) (https://docs.docker.com/go/dockerfile/rule/from-as-casing/)",
  );
});

it("shows the log of steps that a failure without a log leaves open", () => {
  const screen = new Screen();
  const lost = event("build-end", {
    outcome: "failed",
    error: { code: "POD_LOST", message: "Pod builder-0 was evicted.", details: { namespace: "n", events: [] } },
  });
  replay(screen, [begin, step("RUN make"), log("compiling\nlinking"), lost]);
  expect(screen.lines).toEqual([
    "  │ compiling",
    "  │ linking",
    "✖ failed r/team/api:1: POD_LOST: Pod builder-0 was evicted.",
  ]);
});

it("draws at most ten frames a second, each in one write", () => {
  const screen = new Screen();
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  renderer.render(begin);
  renderer.render(step("RUN make"));
  for (let ms = 0; ms < 1000; ms++) {
    renderer.render(log(`line ${ms}\n`));
    vi.advanceTimersByTime(1);
  }
  expect(screen.writes.length).toBeGreaterThanOrEqual(10);
  expect(screen.writes.length).toBeLessThanOrEqual(11);
  renderer.end();
});

it("lets durations tick while nothing happens", () => {
  const screen = new Screen(40);
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  renderer.render(begin);
  renderer.render(step("RUN make"));
  vi.advanceTimersByTime(2000);
  expect(screen.lines[1]).toBe("  → #1 RUN make                    2.0s");
  renderer.end();
});

it("stops its timer at the end, and when no build runs", () => {
  const renderer = createRenderer({ stream: new Screen(), mode: "terminal" });
  renderer.render(begin);
  expect(vi.getTimerCount()).toBe(1);
  renderer.end();
  expect(vi.getTimerCount()).toBe(0);
  renderer.render(step("late"));
  expect(vi.getTimerCount()).toBe(0);
  const other = createRenderer({ stream: new Screen(), mode: "terminal" });
  for (const each of recordedBuild("second")) other.render(each);
  expect(vi.getTimerCount()).toBe(0);
});

it("does not keep the process alive", () => {
  vi.useRealTimers();
  const renderer = createRenderer({ stream: new Screen(), mode: "terminal" });
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  renderer.render(begin);
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout")).toHaveLength(before);
  renderer.end();
});

it("leaves nothing behind of a frame that was longer", () => {
  const screen = new Screen(40);
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  for (const each of [begin, step("RUN make"), log("a\nb\nc\nd\n")]) renderer.render(each);
  vi.advanceTimersByTime(100);
  expect(screen.lines).toHaveLength(6);
  renderer.render(stepEnd("RUN make"));
  vi.advanceTimersByTime(100);
  expect(screen.lines.map((line) => line.split(/ {2}/)[0])).toEqual(["✔ #1 RUN make", "● r/team/api:1"]);
  renderer.end();
});

it("leaves the last frame of what still runs", () => {
  const screen = new Screen(40);
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  renderer.render(begin);
  renderer.render(step("RUN make"));
  renderer.end();
  screen.write("after\n");
  expect(screen.lines.map((line) => line.trim().split(/ {2}/)[0])).toEqual([
    "● r/team/api:1",
    "→ #1 RUN make",
    "after",
  ]);
});

it("goes up by as many rows as the last frame takes after the terminal became narrower", () => {
  const screen = new Screen(80);
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  renderer.render(begin);
  renderer.render(step("RUN make"));
  vi.advanceTimersByTime(100);
  screen.columns = 30;
  vi.advanceTimersByTime(100);
  // Two lines of 79 columns take three rows each.
  expect(screen.writes.at(-1)).toContain("\u001b[6A");
  vi.advanceTimersByTime(100);
  expect(screen.writes.at(-1)).toContain("\u001b[2A");
  renderer.end();
});

it("keeps what is over whole when more happens than the terminal has rows", () => {
  const screen = new Screen(40, 5);
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  const names = Array.from({ length: 20 }, (_, index) => `RUN ${index}`);
  renderer.render(begin);
  for (const name of names) renderer.render(step(name));
  for (const name of names) {
    vi.advanceTimersByTime(100);
    renderer.render(stepEnd(name));
  }
  renderer.end();
  expect(screen.lines.map((line) => line.split(/ {2}/)[0]).slice(0, 20)).toEqual(
    names.map((name, index) => `✔ #${index + 1} ${name}`),
  );
  expect(screen.lines).toHaveLength(21);
});

it("leaves out frames while the stream cannot take more", () => {
  const screen = Object.assign(new Screen(), { writableNeedDrain: false });
  const renderer = createRenderer({ stream: screen, mode: "terminal" });
  renderer.render(begin);
  screen.writableNeedDrain = true;
  renderer.render(step("RUN make"));
  vi.advanceTimersByTime(1000);
  expect(screen.writes).toHaveLength(1);
  renderer.end();
  expect(screen.writes).toHaveLength(2);
});

it("writes plain lines as they come, and open ones at the end", () => {
  const writes: string[] = [];
  const renderer = createRenderer({ stream: { write: (text) => writes.push(text) } });
  for (const each of [begin, step("RUN make"), log("compiling\nlin")]) renderer.render(each);
  expect(writes.join("")).toBe("building r/team/api:1 with fake\n#1 RUN make\n#1 compiling\n");
  renderer.end();
  renderer.end();
  renderer.render(log("late\n"));
  expect(writes.slice(3)).toEqual(["#1 lin\n"]);
});

it.each([
  ["terminal", true, { TERM: "xterm" }],
  ["terminal", true, { TERM: "xterm", CI: "false" }],
  ["plain", true, { TERM: "dumb" }],
  ["plain", true, { TERM: "xterm", CI: "true" }],
  ["plain", false, { TERM: "xterm" }],
] as const)("is %s if isTTY is %s and the environment %j", (mode, isTTY, env) => {
  expect(chooseMode("auto", { isTTY, write: () => true }, env)).toBe(mode);
});

it.each([
  [true, {}],
  [true, { NO_COLOR: "" }],
  [false, { NO_COLOR: "1" }],
  [false, { TERM: "dumb" }],
])("has colours: %s with %j", (colors, env) => {
  expect(chooseColors(env)).toBe(colors);
});

it("honours NO_COLOR", () => {
  const screen = new Screen();
  const renderer = createRenderer({ stream: screen, mode: "terminal", env: { NO_COLOR: "1" } });
  for (const each of recordedBuild("failing")) renderer.render(each);
  renderer.end();
  expect(screen.writes.join("")).not.toMatch(/\u001b\[[\d;]*m/);
});
