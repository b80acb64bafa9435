// The loop of a development tool: builds a project's services in the cluster, and shows what happens while it does.
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { createRenderer } from "slipway/progress";
import { dockerConfig } from "slipway/secrets";

import { buildServices } from "./build-services.ts";
import { services } from "./services.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("interrupted")));

const renderer = createRenderer({ stream: process.stdout });
await using builder = createBuilder({
  driver: buildkitDriver({ name: "shop", namespace: "builds", replicas: 2 }),
  credentials: [dockerConfig()],
  concurrency: 4,
  onEvent: (event) => renderer.render(event),
});
try {
  // Ready before the first build needs it, so that what is missing in the cluster shows first.
  await builder.bootstrap({ signal: stop.signal });
  const images = await buildServices(builder, services, stop.signal);
  renderer.end();
  for (const [name, reference] of images) console.log(`${name}: ${reference}`);
} finally {
  renderer.end();
}
