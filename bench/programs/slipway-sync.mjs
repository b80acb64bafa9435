// A build with the published form of the packages, which says when its context is in the workspace, and is cancelled then.
import { createBuilder } from "slipway";
import { kanikoDriver } from "slipway/kaniko";

const { driver, build } = JSON.parse(process.env.SLIPWAY_BENCH);
await using builder = createBuilder({ driver: kanikoDriver(driver) });
const run = builder.build(build);
for await (const event of run) {
  // The last one of a context knows how much that is; those before it only what was sent.
  if (event.type !== "context-progress" || event.files === 0) continue;
  console.log(`sent ${event.sentBytes}`);
  break;
}
await run.cancel();
