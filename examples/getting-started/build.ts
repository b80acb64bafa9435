// #region build
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { createRenderer } from "slipway/progress";
import { dockerConfig } from "slipway/secrets";

await using builder = createBuilder({
  driver: buildkitDriver({ namespace: "builds" }),
  credentials: [dockerConfig()],
});
const run = builder.build({ context: "./api", tags: ["registry.example.com/team/api:v1"] });
const renderer = createRenderer({ stream: process.stdout });
for await (const event of run) renderer.render(event);
renderer.end();
const { reference } = await run.image();
console.log(reference);
// #endregion build
