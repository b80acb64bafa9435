import { parseArgs } from "node:util";

import { clusterCommands } from "./cluster-commands.ts";
import { ClusterFailure, describeFailure } from "./failure.ts";

const usage = `Usage: npm run cluster -- COMMAND [--name NAME] [--index N]

  up [--routes]             starts the cluster, or does nothing when it runs (--routes: debugging routes to pods and Services)
  down [--purge]            ends it; --purge deletes its state too
  status                    says what runs
  env                       prints what a shell needs:  eval "$(npm run -s cluster -- env)"
  load-image FILE…          imports image archives into every node
  logs [COMPONENT] [-f]     prints the end of a log, or lists the components
  shell [--node NODE]       opens a shell with kubectl, or one inside a node
`;

function parse(argv: readonly string[]): ReturnType<typeof parseWords> {
  try {
    return parseWords(argv);
  } catch (cause) {
    throw new ClusterFailure(cause instanceof Error ? cause.message : String(cause), {
      remedy: "--help tells the options.",
      cause,
    });
  }
}

function parseWords(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      name: { type: "string" },
      index: { type: "string" },
      node: { type: "string" },
      purge: { type: "boolean", default: false },
      routes: { type: "boolean", default: false },
      follow: { type: "boolean", short: "f", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  const [command = "", ...words] = positionals;
  const run = clusterCommands[command];
  if (values.help || !run) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  return run({ ...values, index: values.index === undefined ? undefined : Number(values.index), words });
}

// A reader that leaves early (`| head`) must not end a start half-way.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  process.exitCode = 1;
}
