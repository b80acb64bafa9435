import { expect, test } from "vitest";

import { readErrorDetails } from "./error-details.ts";
import { FailureRecord } from "./failure-record.ts";
import { solveError } from "./solve-error.ts";
import type { StatusUpdate, Vertex } from "./status-update.ts";

const nothing: StatusUpdate = { vertices: [], progress: [], logs: [], warnings: [] };
const vertex = (digest: string, name: string, more: Partial<Vertex> = {}): Vertex => ({
  digest,
  name,
  inputs: [],
  cached: false,
  ...more,
});
const detail = (type: string, value: unknown) => ({
  typeUrl: `github.com/moby/buildkit/${type}+json`,
  value: Buffer.from(JSON.stringify(value)),
});

const record = new FailureRecord();
record.add({ ...nothing, vertices: [vertex("sha256:a", "[2/3] RUN make"), vertex("sha256:b", "[3/3] RUN test")] });
record.add({ ...nothing, logs: [{ vertex: "sha256:a", stream: "stdout", text: "cc x.c\n", timeMs: 0 }] });
record.add({ ...nothing, logs: [{ vertex: "sha256:a", stream: "stderr", text: "x.c:1: error\n", timeMs: 0 }] });
record.add({ ...nothing, vertices: [vertex("sha256:b", "[3/3] RUN test", { error: "context canceled" })] });
record.add({ ...nothing, vertices: [vertex("sha256:a", "[2/3] RUN make", { error: "exit code: 2", completedMs: 1 })] });

test("a failing command has step, exit code, place and the end of its output", () => {
  const details = readErrorDetails([
    detail("errdefs.Vertex", { digest: "sha256:a" }),
    detail("errdefs.Source", { info: { filename: "outer" }, ranges: [{ start: { line: 1 } }] }),
    detail("errdefs.Source", {
      info: { filename: "Dockerfile" },
      ranges: [{ start: { line: 7, character: 0 }, end: { line: 9 } }],
    }),
    detail("gatewayapi.ExitMessage", { Code: 2 }),
    detail("stack.Stack", { frames: [] }),
    { typeUrl: "unknown", value: Buffer.from([0xff]) },
  ]);
  const error = solveError('process "make" did not complete successfully: exit code: 2', details, record, undefined);
  expect(error.code).toBe("BUILD_FAILED");
  expect(error.details).toEqual({
    step: "[2/3] RUN make",
    exitCode: 2,
    location: { file: "Dockerfile", line: 7 },
    logTail: "cc x.c\nx.c:1: error\n",
  });
  expect(error.message).toBe(
    "[2/3] RUN make (Dockerfile:7) ended with exit code 2. What it printed last is in details.logTail.",
  );
});

test("without details the step is the one that reported an error, not one that was cancelled with it", () => {
  const error = solveError("failed to solve", {}, record, undefined);
  expect(error.details).toEqual({ step: "[2/3] RUN make", logTail: "cc x.c\nx.c:1: error\n" });
  expect(error.message).toBe("[2/3] RUN make failed: failed to solve");
});

test("a build that failed before its first step has none", () => {
  const error = solveError(
    "dockerfile parse error on line 2: unknown instruction: FOO",
    {},
    new FailureRecord(),
    undefined,
  );
  expect(error).toMatchObject({ code: "BUILD_FAILED", details: { logTail: "" } });
  expect(error.message).toContain("unknown instruction: FOO");
});

test("a missing Dockerfile is a fault of the context", () => {
  const text = "failed to read dockerfile: open sub/Dockerfile: no such file or directory";
  expect(solveError(text, {}, new FailureRecord(), undefined)).toMatchObject({
    code: "CONTEXT_INVALID",
    details: { path: "sub/Dockerfile" },
  });
});

test("a command that prints what a registry would say is still a failing command", () => {
  const text =
    'process "push" failed: failed to push a.test/b: unexpected status from POST request to https://a.test/v2/: 401 Unauthorized';
  expect(solveError(text, { exitCode: 1 }, record, undefined).code).toBe("BUILD_FAILED");
  expect(solveError(text, {}, record, undefined)).toMatchObject({
    code: "REGISTRY_UNAUTHORIZED",
    details: { registry: "a.test", status: 401 },
  });
});

test("the tail of a long output is its end", () => {
  const long = new FailureRecord();
  for (let line = 0; line < 10_000; line += 1) {
    long.add({ ...nothing, logs: [{ vertex: "sha256:a", stream: "stdout", text: `line ${line}\n`, timeMs: 0 }] });
  }
  long.add({ ...nothing, vertices: [vertex("sha256:a", "RUN", { error: "failed" })] });
  const { logTail } = long.step("sha256:a");
  expect(logTail.length).toBeLessThanOrEqual(8192);
  expect(logTail.endsWith("line 9998\nline 9999\n")).toBe(true);
});
