// Keeps the image of a service up to date while somebody works on it.
import { createBuilder } from "slipway";
import { kanikoDriver } from "slipway/kaniko";
import { dockerConfig } from "slipway/secrets";

import { buildOnChange } from "./build-on-change.ts";

const stop = new AbortController();
process.once("SIGINT", () => stop.abort(new Error("interrupted")));

await using builder = createBuilder({ driver: kanikoDriver({ namespace: "builds" }), credentials: [dockerConfig()] });
const image = {
  name: "api",
  context: "./api",
  tags: ["registry.example.com/shop/api:dev"],
  onImage: (reference: string) => console.log(`deploy ${reference}`),
  onError: (error: Error) => console.error(error.message),
};
await buildOnChange(builder, image, stop.signal).catch((error: unknown) => {
  if (!stop.signal.aborted) throw error;
});
