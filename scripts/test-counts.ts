/** How many tests passed, failed and were skipped. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What this module reads of vitest's JSON report. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** No tests at all. */
export const noTests: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** The counts of several runners as one. */
export function addCounts(...counts: readonly TestCounts[]): TestCounts {
  return counts.reduce(
    (sum, next) => ({
      passed: sum.passed + next.passed,
      failed: sum.failed + next.failed,
      skipped: sum.skipped + next.skipped,
    }),
    noTests,
  );
}

/** One check, such as the linter, counts as one test. */
export function countCheck(exitCode: number): TestCounts {
  return exitCode === 0 ? { ...noTests, passed: 1 } : { ...noTests, failed: 1 };
}

/**
 * The counts of a vitest run. A file that could not be loaded has no tests in the report, and an unhandled rejection fails only the
 * process: both count as a failure, so that no run is green by accident. With a filter by title vitest reports every other test as
 * pending, which is no skip.
 */
export function countVitest(report: VitestReport, exitCode: number, filtered: boolean): TestCounts {
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: filtered ? 0 : report.numPendingTests + report.numTodoTests,
  };
}

/** The closing line of a test run. */
export function formatCounts(counts: TestCounts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
