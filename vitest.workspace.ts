import type { TestProjectInlineConfiguration } from "vitest/config";

const source = { resolve: { conditions: ["@slipway/source"] }, ssr: { resolve: { conditions: ["@slipway/source"] } } };
const minuteMs = 60_000;

/** For the most part these wait, and none of them needs the processor for itself: they run beside the others. */
const waitingTests = "e2e/**/*.waiting.test.ts";

/** The projects of `vitest.config.ts`: unit tests need nothing, the others need the cluster that `e2e/global-setup.ts` provides. */
export const projects: TestProjectInlineConfiguration[] = [
  {
    ...source,
    test: {
      name: "unit",
      include: [
        "packages/*/src/**/*.test.ts",
        "dev-cluster/src/**/*.test.ts",
        "scripts/**/*.test.ts",
        "bench/**/*.test.ts",
        "examples/*/*.test.ts",
      ],
      exclude: ["**/*.cluster.test.ts"],
    },
  },
  {
    ...source,
    test: {
      name: "types",
      include: [],
      typecheck: { enabled: true, only: true, include: ["packages/*/src/**/*.test-d.ts"], tsconfig: "./tsconfig.json" },
    },
  },
  {
    ...source,
    test: {
      name: "conformance",
      include: ["packages/*/src/**/*.cluster.test.ts"],
      globalSetup: ["./e2e/global-setup.ts"],
      testTimeout: 5 * minuteMs,
      hookTimeout: 5 * minuteMs,
      fileParallelism: false,
    },
  },
  {
    ...source,
    test: {
      name: "e2e",
      include: ["e2e/**/*.test.ts"],
      exclude: [waitingTests],
      globalSetup: ["./e2e/global-setup.ts"],
      testTimeout: 10 * minuteMs,
      hookTimeout: 5 * minuteMs,
      fileParallelism: false,
    },
  },
  {
    ...source,
    test: {
      name: "waiting",
      include: [waitingTests],
      globalSetup: ["./e2e/global-setup.ts"],
      testTimeout: 10 * minuteMs,
      hookTimeout: 5 * minuteMs,
      fileParallelism: false,
    },
  },
];
