import { createBuilder, wrapDriver } from "slipway";
import { buildkitDriver } from "slipway/buildkit";

import { measureBuilds, onlyPushTo } from "./middleware.ts";

// #region wrap
const driver = wrapDriver(
  buildkitDriver({ namespace: "builds" }),
  measureBuilds((name, durationMs, outcome) => console.log(`${name} ${outcome} after ${Math.round(durationMs)} ms`)),
  onlyPushTo(["registry.example.com"]),
);
await using builder = createBuilder({ driver });
// #endregion wrap
const { reference } = await builder.build({ context: ".", tags: ["registry.example.com/team/api:v1"] }).image();
console.log(reference);
