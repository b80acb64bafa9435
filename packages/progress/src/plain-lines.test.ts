import type { BuildEvent } from "@slipway/core";
import { expect, it } from "vitest";

import { event, plainText } from "./__fixtures__/build-events.ts";
import { recordedBuild } from "./__fixtures__/recorded-builds.ts";

const log = (text: string, stream: "stdout" | "stderr" = "stdout", step = "a"): BuildEvent =>
  event("step-log", { step, stream, text });
const start = (name = "[1/2] RUN make", step = "a"): BuildEvent => event("step-start", { step, name });
const end = (body: { cached?: boolean; error?: string } = {}): BuildEvent =>
  event("step-end", { step: "a", cached: false, ...body }, { timeMs: 2250 });

it("tells a build in full", () => {
  const lines = plainText(recordedBuild("first"));
  expect(lines.slice(0, 7)).toEqual([
    "building registry.slipway-dev.svc:5000/e2e/demo:1 with buildkit",
    "pod slipway-75c7bdcbb8-58lg4 pending",
    "pod slipway-75c7bdcbb8-58lg4 scheduled on node-a",
    "pod slipway-75c7bdcbb8-58lg4 pulling on node-a",
    "pod slipway-75c7bdcbb8-58lg4 running on node-a",
    "#1 [internal] load build definition from Dockerfile",
    "#1 DONE 0.0s",
  ]);
  const context = lines.indexOf("context: sent 3 of 3 files, 6.0 MB of 6.0 MB");
  expect(lines[context + 1]).toBe("#6 [compile 1/2] COPY . /src");
  expect(lines.filter((line) => line.startsWith("#7")).slice(1)).toEqual([
    "#7 compiling part 1",
    "#7 compiling part 2",
    "#7 compiling part 3",
    "#7 warning: unused",
    "#7 DONE 1.3s",
  ]);
  expect(lines.at(-1)).toBe(
    "built registry.slipway-dev.svc:5000/e2e/demo@sha256:b855fe02deb57b15f51645c8a3d751764bf0aeb19d9007beecaa5df0fba60472 in 4.9s",
  );
});

it("tells that an image was there already", () => {
  const skipped = recordedBuild("first").flatMap((recorded): BuildEvent[] => {
    if (recorded.type === "build-start") return [recorded];
    if (recorded.type !== "build-end" || recorded.outcome !== "succeeded") return [];
    return [{ ...recorded, result: { ...recorded.result, skipped: true, durationMs: 240 } }];
  });
  expect(plainText(skipped)).toEqual([
    "building registry.slipway-dev.svc:5000/e2e/demo:1 with buildkit",
    "found registry.slipway-dev.svc:5000/e2e/demo@sha256:b855fe02deb57b15f51645c8a3d751764bf0aeb19d9007beecaa5df0fba60472 in 0.2s",
  ]);
});

it("tells once how little of the context a second build sends, and what is cached", () => {
  const lines = plainText(recordedBuild("second"));
  expect(lines.filter((line) => line.startsWith("context"))).toEqual(["context: sent 1 of 3 files, 8 B of 6.0 MB"]);
  expect(plainText(recordedBuild("warning"))).toContain("#6 CACHED");
});

it("ends a failed build with log tail, location, code and message", () => {
  expect(plainText(recordedBuild("failing")).slice(-5)).toEqual([
    '#7 ERROR process "/bin/sh -c echo before; echo trouble >&2; exit 3" did not complete successfully: exit code: 3',
    "  | before",
    "  | trouble",
    "  at Dockerfile:3",
    "failed registry.slipway-dev.svc:5000/e2e/demo:1: BUILD_FAILED: [3/3] RUN echo before; echo trouble >&2; exit 3 (Dockerfile:3) " +
      "ended with exit code 3. What it printed last is in details.logTail.",
  ]);
});

it("shows warnings with file, line and URL", () => {
  expect(plainText(recordedBuild("warning"))).toContain(
    "warning: Dockerfile:1: FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1) " +
      "(https://docs.docker.com/go/dockerfile/rule/from-as-casing/)",
  );
});

it.each<[string, BuildEvent[], string[]]>([
  ["joins pieces of a line", [start(), log("com"), log("pil"), log("ing\nlin")], ["#1 compiling"]],
  [
    "keeps the streams of a step apart",
    [start(), log("out"), log("err\n", "stderr"), log("put\n")],
    ["#1 err", "#1 output"],
  ],
  ["keeps steps apart", [start(), log("a"), log("b\n", "stdout", "b"), log("a\n")], ["#2 b", "#1 aa"]],
  ["ends an open line with its step", [start(), log("last"), end()], ["#1 last", "#1 DONE 1.3s"]],
  ["keeps empty lines", [start(), log("a\n\nb\n")], ["#1 a", "#1", "#1 b"]],
  ["knows line ends of Windows, cut in two", [start(), log("a\r"), log("\nb\r\n")], ["#1 a", "#1 b"]],
  ["shows where a progress bar ends", [start(), log("10%\r20%\r"), log("100%\n")], ["#1 100%"]],
  ["strips a sequence that is cut in two", [start(), log("\u001b[3"), log("1mred\n")], ["#1 red"]],
  ["tells errors of steps", [start(), end({ error: "exit code: 2" })], ["#1 ERROR exit code: 2"]],
  ["tells a step that another one's failure ends", [start(), end({ error: "context canceled" })], ["#1 CANCELED"]],
  ["names a step whose start comes late", [log("x\n"), start()], ["#1 x", "#1 [1/2] RUN make"]],
  ["takes the end of an unknown step", [end({ cached: true })], ["#1 CACHED"]],
  ["ends a step once", [start(), end(), end({ error: "x" })], ["#1 DONE 1.3s"]],
])("%s", (_title, events, expected) => {
  expect(plainText(events).filter((line) => line !== "#1 [1/2] RUN make" || events[0]?.type !== "step-start")).toEqual(
    expected,
  );
});

it("cuts a line that never ends", () => {
  const lines = plainText([start(), ...Array.from({ length: 40 }, () => log("x".repeat(1000)))]);
  expect(lines).toHaveLength(3);
  expect(lines[1]?.length).toBeGreaterThan(16_000);
});

it("does not take a progress bar that never ends a line for a long line", () => {
  const bar = Array.from({ length: 40 }, (_, index) => log(`\r${String(index).padStart(1000)}`));
  expect(plainText([start(), ...bar, log("\n")]).slice(1)).toEqual([`#1 ${"39".padStart(1000)}`]);
});

it("tells a context once that is in part unchanged, when a step begins to copy from it", () => {
  const part = event("context-progress", {
    context: "context",
    files: 9,
    sentFiles: 2,
    totalBytes: 9000,
    sentBytes: 2000,
  });
  const copy = start("[2/3] COPY . .", "copy");
  const stopped = event("build-end", {
    outcome: "canceled",
    error: { code: "ABORTED", message: "Stopped.", details: { reason: "user" } },
  });
  expect(plainText([part, start("COPY --from=base /a /a"), copy, part, part, stopped])).toEqual([
    "#1 COPY --from=base /a /a",
    "context: sent 2 of 9 files, 2.0 kB of 9.0 kB",
    "#2 [2/3] COPY . .",
    "canceled build-1: ABORTED: Stopped.",
  ]);
});

it("tells tasks without a size at their beginning and others at their end, once", () => {
  const task = (name: string, current: number, total?: number): BuildEvent =>
    event("step-progress", { step: "a", task: name, current, ...(total === undefined ? {} : { total }) });
  const events = [
    task("exporting", 0),
    task("layer", 5, 2000),
    task("exporting", 1),
    task("layer", 2000, 2000),
    task("layer", 2000, 2000),
  ];
  expect(plainText([start(), ...events]).slice(1)).toEqual(["#1 exporting", "#1 layer 2.0 kB of 2.0 kB"]);
});

it("tells a push once, at its end", () => {
  const push = (sentBytes: number, totalBytes?: number): BuildEvent =>
    event("push-progress", { reference: "r/api:1", sentBytes, ...(totalBytes === undefined ? {} : { totalBytes }) });
  expect(plainText([push(0, 3000), push(1000, 3000), push(3000, 3000), push(3000, 3000)])).toEqual([
    "push r/api:1: 3.0 kB of 3.0 kB",
  ]);
  const canceled = event("build-end", {
    outcome: "canceled",
    error: { code: "ABORTED", message: "Stopped.", details: { reason: "user" } },
  });
  expect(plainText([push(0), push(1000), canceled])).toEqual([
    "push r/api:1: 1.0 kB",
    "canceled build-1: ABORTED: Stopped.",
  ]);
});

it("tells why a pod waits, and each phase once", () => {
  const pod = (reason?: string): BuildEvent =>
    event("pod-phase", {
      pod: "builder-0",
      phase: "pending",
      ...(reason === undefined ? {} : { reason, message: "0/2 nodes\nare available" }),
    });
  expect(plainText([pod(), pod(), pod("Unschedulable"), pod("Unschedulable")])).toEqual([
    "pod builder-0 pending",
    "pod builder-0 pending (Unschedulable: 0/2 nodes are available)",
  ]);
});

it("tells of a retry and counts steps on", () => {
  const error = {
    code: "POD_LOST",
    message: "Pod builder-0 was evicted.",
    details: { namespace: "n", events: [] },
  } as const;
  const lines = plainText([start(), log("open"), event("build-retry", { attempt: 2, error }), start()]);
  expect(lines.slice(1)).toEqual([
    "#1 open",
    "attempt 2 after POD_LOST: Pod builder-0 was evicted.",
    "#2 [1/2] RUN make",
  ]);
});

it("names builds once there is more than one", () => {
  const begin = (buildId: string, name: string): BuildEvent =>
    event("build-start", { name, driver: "fake", tags: [] }, { buildId });
  const two = [begin("build-1", "r/team/api:1"), begin("build-2", "r/team/web:1"), start()];
  expect(plainText(two)).toEqual([
    "building r/team/api:1 with fake",
    "web:1 | building r/team/web:1 with fake",
    "api:1 | #1 [1/2] RUN make",
  ]);
  expect(plainText([begin("11111111-a", "r/api:1"), begin("22222222-b", "r/api:1")])[1]).toMatch(/^api:1 22222222 \| /);
  expect(plainText([begin("build-1", "r/a/api:1"), begin("build-2", "r/b/api:1")])[1]).toMatch(/^r\/b\/api:1 \| /);
});

it("tells a place in the queue, but not that a build begins at once", () => {
  expect(plainText([event("build-queue", { name: "api", position: 0 })])).toEqual([]);
  expect(plainText([event("build-queue", { name: "api", position: 2 })])).toEqual(["queued api at position 2"]);
});

it("ignores what comes after the end, and events that it does not know", () => {
  const recorded = recordedBuild("failing");
  const { buildId } = recorded[0] ?? { buildId: "" };
  const late = event("step-log", { step: "new", stream: "stdout", text: "late\n" }, { buildId });
  expect(plainText([...recorded, late])).toEqual(plainText(recorded));
  expect(plainText([{ ...late, type: "from-the-future" } as unknown as BuildEvent])).toEqual([]);
});

it("takes events in any order", () => {
  for (const name of ["first", "second", "failing", "warning"] as const) {
    const recorded = recordedBuild(name);
    expect(() => plainText(recorded.toReversed())).not.toThrow();
    for (let skip = 2; skip < 6; skip++)
      expect(() => plainText(recorded.filter((_, index) => index % skip === 0))).not.toThrow();
  }
});
