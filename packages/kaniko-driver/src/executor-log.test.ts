import { describe, expect, it } from "vitest";

import type { DriverEvent } from "@slipway/core";

import { ExecutorLog, type LogFormat } from "./executor-log.ts";

/** Lines of an executor v1.24.0 with `--log-format=json`. */
const own = (msg: string, level = "info"): string => JSON.stringify({ level, msg, time: "2026-11-21T18:25:22Z" });

function read(lines: readonly string[], isFailed = false, format: LogFormat = "json") {
  const events: DriverEvent[] = [];
  const log = new ExecutorLog((event) => events.push(event), format);
  for (const [index, line] of lines.entries()) log.line(line, 1000 + index);
  return { summary: log.end(isFailed), events };
}

const succeeded = [
  own("Retrieving image manifest registry.example.com/base:1"),
  own("Using caching version of cmd: RUN make"),
  own("WORKDIR /app"),
  own("Cmd: workdir"),
  own("RUN make"),
  own("Found cached layer, extracting to filesystem"),
  own("RUN echo hello"),
  own("Running: [/bin/sh -c echo hello]"),
  "hello",
  own("Pushing image to registry.example.com/team/api:v1"),
  own("Pushing image to registry.example.com/team/api:v2"),
];

it("makes a step of each instruction, and one of what comes before and after them", () => {
  const { events } = read(succeeded);
  expect(events.filter(({ type }) => type === "step-start").map((event) => "name" in event && event.name)).toEqual([
    "prepare context and base images",
    "WORKDIR /app",
    "RUN make",
    "RUN echo hello",
    "push",
  ]);
});

it("takes a layer that goes to the cache beside a step for no step of its own", () => {
  const lines = [
    own("RUN make"),
    own("Pushing layer mirror.example.com/team/api/cache:4f2a to cache now"),
    own("RUN echo hello"),
    own("Running: [/bin/sh -c echo hello]"),
    own("Pushing image to index.mirror.example.com/team/api/cache:4f2a"),
    "hello",
    own("Pushed index.mirror.example.com/team/api/cache@sha256:77"),
  ];
  const { summary, events } = read(lines, true);
  expect(summary).toMatchObject({ step: "RUN echo hello", printed: "hello\n" });
  expect(events.filter(({ type }) => type === "step-start")).toHaveLength(2);
});

it("ends each step once, and says which were cached", () => {
  const { events } = read(succeeded);
  const ends = events.flatMap((event) => (event.type === "step-end" ? [[event.step, event.cached]] : []));
  expect(ends).toEqual([
    ["1", false],
    ["2", false],
    ["3", true],
    ["4", false],
    ["5", false],
  ]);
});

it("tells what a RUN prints from what the executor says", () => {
  const { events } = read(succeeded);
  const logs = events.flatMap((event) => (event.type === "step-log" ? [event] : []));
  expect(logs.find(({ text }) => text === "hello\n")).toMatchObject({ step: "4", stream: "stdout", timeMs: 1008 });
  expect(logs.find(({ text }) => text.startsWith("Running"))).toMatchObject({ step: "4", stream: "stderr" });
});

it("passes warnings on", () => {
  const { events } = read([own("Error uploading layer to cache: denied", "warning")]);
  expect(events[0]).toEqual({ type: "warning", message: "Error uploading layer to cache: denied", timeMs: 1000 });
});

it.each(["Error: Cannot find module", "error building module x", "error checking types"])(
  "does not take what a step prints for the error of the executor: %j",
  (printed) => {
    const { summary } = read(
      [own("RUN npm run build || true"), printed, own("Taking snapshot of full filesystem...")],
      true,
    );
    expect(summary).toMatchObject({ isSnapshotting: true });
    expect(summary.error).toBeUndefined();
  },
);

it("keeps the error rather than the usage that follows it", () => {
  const lines = [
    own("To simulate EOF and exit, press 'Ctrl+D'"),
    "Error: error resolving source context: unexpected EOF",
    "Usage:",
  ];
  const { summary } = read(lines, true);
  expect(summary.error).toBe("error resolving source context: unexpected EOF");
});

it("fails the step in which the executor ended", () => {
  const error =
    "error building image: error building stage: failed to execute command: waiting for process to exit: exit status 3";
  const { summary, events } = read([own("RUN false"), own("Running: [/bin/sh -c false]"), error], true);
  expect(summary).toMatchObject({ step: "RUN false", error });
  expect(events.at(-1)).toMatchObject({ type: "step-end", step: "1", error });
});

it("takes JSON that a RUN prints for what it is", () => {
  const { events } = read([own("RUN report"), '{"level":7}', '{"level":"x"']);
  expect(events.filter(({ type }) => type === "step-log")).toMatchObject([{ stream: "stdout" }, { stream: "stdout" }]);
});

describe("an executor without --log-format", () => {
  /** As logrus writes lines in colour. */
  const colored = (message: string, level = "INFO", color = 36): string =>
    `\u001b[${color}m${level}\u001b[0m[0003] ${message.padEnd(44)} `;
  const lines = [
    colored("Retrieving image manifest registry.example.com/base:1"),
    colored("Using caching version of cmd: RUN make"),
    colored("Error while retrieving image from cache", "WARN", 33),
    colored("RUN make"),
    colored("RUN echo hello"),
    "hello",
    colored("Taking snapshot of full filesystem..."),
  ];

  it("is read by its colours", () => {
    const { events, summary } = read(lines, true, "color");
    const names = events.flatMap((event) => (event.type === "step-start" ? [event.name] : []));
    expect(names).toEqual(["prepare context and base images", "RUN make", "RUN echo hello"]);
    expect(events.flatMap((event) => (event.type === "step-end" ? [event.cached] : []))).toEqual([false, true, false]);
    expect(events).toContainEqual({
      type: "warning",
      message: "Error while retrieving image from cache",
      timeMs: 1002,
    });
    expect(events).toContainEqual({ type: "step-log", step: "3", stream: "stdout", text: "hello\n", timeMs: 1005 });
    expect(summary).toMatchObject({ step: "RUN echo hello", isSnapshotting: true });
  });

  it("is no other executor: there such a line is what a RUN prints", () => {
    const { events } = read([own("RUN kaniko-like"), colored("RUN echo hello")]);
    expect(events.filter(({ type }) => type === "step-start")).toHaveLength(1);
  });
});

it("keeps what the last step itself has printed, and nothing of others", () => {
  const { printed } = read([
    own("RUN a"),
    "of a",
    own("RUN b"),
    "x".repeat(2000),
    "of b",
    own("Taking snapshot"),
  ]).summary;
  expect(printed).toMatch(/^x{1018}\nof b\n$/);
  expect(read([own("RUN a"), "of a", own("RUN b")]).summary.printed).toBeUndefined();
});

it("knows whether the executor has gone on from waiting for its context", () => {
  const log = new ExecutorLog(() => undefined);
  log.line(own("To simulate EOF and exit, press 'Ctrl+D'"), 1);
  expect(log.hasContext).toBe(false);
  log.line(own("Retrieving image manifest registry.example.com/base:1"), 2);
  expect(log.hasContext).toBe(true);
});

it("takes what a step prints for a sign of the context too, since an executor may be told to say nothing itself", () => {
  const log = new ExecutorLog(() => undefined);
  log.line("Flag --whitelist-var-run has been deprecated, Please use ignore-var-run instead.", 1);
  expect(log.hasContext).toBe(false);
  log.line("hello", 2);
  expect(log.hasContext).toBe(true);
});
