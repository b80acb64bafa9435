import { describe, expect, it } from "vitest";

import { addCounts, countCheck, countVitest, formatCounts, type VitestReport } from "./test-counts.ts";

const report: VitestReport = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 2,
  numTodoTests: 0,
  testResults: [],
};

describe("countVitest", () => {
  it("takes the figures of the report", () => {
    expect(countVitest(report, 0, false)).toEqual({ passed: 3, failed: 0, skipped: 2 });
  });

  it("does not call a test skipped that the filter left out", () => {
    expect(countVitest(report, 0, true).skipped).toBe(0);
  });

  it("counts a file that did not load", () => {
    const broken = { ...report, testResults: [{ status: "failed", assertionResults: [] }] };
    expect(countVitest(broken, 1, false).failed).toBe(1);
  });

  it("counts an error outside of the tests", () => {
    expect(countVitest(report, 1, false).failed).toBe(1);
  });
});

it("adds runners up and prints one line", () => {
  expect(formatCounts(addCounts(countCheck(0), countCheck(2), { passed: 5, failed: 0, skipped: 1 }))).toBe(
    "6 passed, 1 failed, 1 skipped",
  );
});
