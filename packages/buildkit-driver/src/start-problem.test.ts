import { expect, it } from "vitest";

import { isHopeless } from "./start-problem.ts";

const limits = { name: "slipway", waitedMs: 5000, startTimeoutMs: 60_000, unschedulableGraceMs: 3000 };

it.each([
  ["what will not change", { code: "INVALID_OPTIONS", final: true }, {}, true],
  ["a pod without a node, after the grace", { code: "UNSCHEDULABLE", final: false }, {}, true],
  [
    "a pod without a node, within the grace",
    { code: "UNSCHEDULABLE", final: false },
    { unschedulableGraceMs: 90_000 },
    false,
  ],
  ["a registry that does not answer yet", { code: "IMAGE_PULL_FAILED", final: false }, {}, false],
  ["a registry that did not answer for long", { code: "IMAGE_PULL_FAILED", final: false }, { waitedMs: 30_000 }, true],
  ["anything at the timeout", { code: "POD_LOST", final: false }, { waitedMs: 60_000 }, true],
] as const)("%s", (_title, diagnosis, changes, expected) => {
  expect(isHopeless(diagnosis, { ...limits, ...changes })).toBe(expected);
});
