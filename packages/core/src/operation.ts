/** The operations that not every builder has, by name. */
export const operations = [
  "submit",
  "attach",
  "cancel",
  "builds",
  "prune",
  "diskUsage",
  "publish",
  "find",
  "ensurePullable",
  "stop",
  "remove",
] as const;

/** The name of an operation that not every builder has. */
export type Operation = (typeof operations)[number];
