import { buildRows } from "./build-rows.ts";
import { driverRows, nestedRows } from "./driver-rows.ts";
import type { OptionRow } from "./option-row.ts";
import { devspaceRows, gardenRows, type PeerRows } from "./peer-rows.ts";

/** A row as it is tested: its id is the first word of the title of its test. */
export interface TestedRow extends OptionRow {
  readonly id: string;
}

function tested(prefix: string, rows: Readonly<Record<string, OptionRow>>): readonly TestedRow[] {
  return Object.entries(rows).map(([name, row]) => ({ ...row, id: `OPT-${prefix}${name}` }));
}

/** Every row of every table. */
export const allRows: readonly TestedRow[] = [
  ...tested("", driverRows),
  ...tested("", nestedRows),
  ...tested("build.", buildRows),
  ...tested("devspace.", devspaceRows),
  ...tested("garden.", gardenRows),
];

/** Whether the test of a row has passed, by its id. */
export type Outcomes = ReadonlyMap<string, boolean>;

/** The page that says where each option was seen, for what a run has seen. */
export function optionPage(outcomes: Outcomes): string {
  return `# Options of the kaniko driver, and where they were seen

Written by \`npm run matrix\` from a run of \`e2e/kaniko/kaniko-options.test.ts\` on a cluster with the executor v1.24.0. The test fails while this page says
something else. Each row is a test, \`npm test -- -t <test>\`, that reads the live objects of a build, what the registry has, or what the executor says.

## The driver

${table(["option", "shows in", "test"], ownRows("", { ...driverRows, ...nestedRows }, outcomes))}

## A build

${table(["option", "shows in", "test"], ownRows("build.", buildRows, outcomes))}

Several platforms, tar and git contexts, and archives as outputs have tests of their own: \`e2e/kaniko/kaniko-platforms.test.ts\`,
\`e2e/kaniko/kaniko-contexts.test.ts\`. Snapshot modes: \`e2e/kaniko/kaniko-snapshot-time.test.ts\`. Workspaces: \`e2e/kaniko/kaniko-workspace.test.ts\`.

## DevSpace

${table(["DevSpace", "here", "shows in", "test"], peerRows("devspace.", devspaceRows, outcomes))}

## Garden

${table(["Garden", "here", "shows in", "test"], peerRows("garden.", gardenRows, outcomes))}
`;
}

function ownRows(prefix: string, rows: Readonly<Record<string, OptionRow>>, outcomes: Outcomes): readonly string[][] {
  return Object.entries(rows).map(([name, { shows }]) => [
    `\`${name}\``,
    shows,
    mark(`OPT-${prefix}${name}`, outcomes),
  ]);
}

function peerRows(prefix: string, rows: PeerRows, outcomes: Outcomes): readonly string[][] {
  return Object.entries(rows).map(([name, { here, shows }]) => [
    ...[`\`${name}\``, here, shows],
    mark(`OPT-${prefix}${name}`, outcomes),
  ]);
}

function mark(id: string, outcomes: Outcomes): string {
  const outcome = outcomes.get(id);
  return `\`${id}\`${outcome === true ? "" : outcome === false ? " **failed**" : " **did not run**"}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
