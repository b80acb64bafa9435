// One build with the published form of the packages: what a tool that embeds Slipway runs, from start to end.
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";

const { driver, build } = JSON.parse(process.env.SLIPWAY_BENCH);
await using builder = createBuilder({ driver: buildkitDriver(driver) });
if (build === undefined) await builder.bootstrap();
else console.log(await builder.build(build).result());
