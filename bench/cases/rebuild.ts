import type { BenchCase, PreparedBench, Side } from "../bench-case.ts";
import { prepareBuilders, type Builders } from "../builders.ts";
import { createContextFolder, type ContextFolder } from "../context-folder.ts";

const files = 20_000;
const fileBytes = 10_000;
const peer = "buildx 0.36.1";

/** Builds the same folder with both sides; `before` brings the wanted state about. */
async function prepareRebuild(
  before: (side: Side, context: ContextFolder, builders: Builders) => Promise<void>,
): Promise<PreparedBench> {
  await using stack = new AsyncDisposableStack();
  const builders = stack.use(await prepareBuilders());
  const context = stack.use(await createContextFolder(builders.cluster.bases.busybox, files, fileBytes));
  await builders.execute(builders.slipway());
  await builders.execute(builders.buildxCreate());
  const repository = `${builders.cluster.registry.clusterHost}/bench/${builders.namespace}`;
  const owned = stack.move();
  return {
    ours: builders.slipway({ context: context.path, tag: `${repository}/ours:1` }),
    peer: builders.buildxBuild(context.path, `${repository}/peer:1`),
    before: (side) => before(side, context, builders),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Nothing changed: the time is the protocol's and the engine's. */
export const noChange: BenchCase = {
  name: "no-change",
  description: `build and push again, ${files} files of ${fileBytes} bytes, nothing changed`,
  peer,
  goal: 0.6,
  rounds: 7,
  prepare: () => prepareRebuild(() => Promise.resolve()),
};

/** The inner loop of development: one file changed. */
export const oneFile: BenchCase = {
  name: "one-file",
  description: `build and push again, one of ${files} files changed`,
  peer,
  goal: 1,
  rounds: 5,
  prepare: () => prepareRebuild((_side, context) => context.change()),
};

/** Nothing there: the daemon has neither files nor layers. */
export const cold: BenchCase = {
  name: "cold",
  description: `build and push with an empty builder, ${files} files of ${fileBytes} bytes`,
  peer,
  goal: 1,
  rounds: 3,
  prepare: () =>
    prepareRebuild(async (side, _context, builders) => {
      const deployment = side === "ours" ? "deployment/ours" : "deployment/peer0";
      await builders.kubectl("exec", "-n", builders.namespace, deployment, "--", "buildctl", "prune", "--all");
    }),
};
