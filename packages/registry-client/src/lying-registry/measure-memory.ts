/** Tells all lies to one process at once, and prints by how much its memory has grown at most: `{ growthBytes, codes }`. */
import { setTimeout as delay } from "node:timers/promises";

import { BuilderError } from "@slipway/core/errors";

import { createRegistryClient } from "../registry-client.ts";
import { askLiar, lies } from "./lies.ts";

const registry = process.argv[2] ?? "";
const credentials = {
  resolve: async () => [{ source: "test", type: "basic", username: "ann", password: "hunter2" } as const],
};

async function tell(lie: (typeof lies)[number]): Promise<string> {
  const client = createRegistryClient({ registry, credentials });
  try {
    await askLiar(client, lie);
    return "believed";
  } catch (error) {
    return BuilderError.from(error).code;
  } finally {
    await client.close();
  }
}

// What is loaded with the first use is no growth.
await tell(lies[0] ?? (undefined as never));
globalThis.gc?.();
await delay(200);
const startBytes = process.memoryUsage.rss();
let mostBytes = startBytes;
const timer = setInterval(() => (mostBytes = Math.max(mostBytes, process.memoryUsage.rss())), 10);
const codes = await Promise.all(lies.map(async (lie) => [lie.repository, await tell(lie)] as const));
clearInterval(timer);
console.log(JSON.stringify({ growthBytes: mostBytes - startBytes, codes: Object.fromEntries(codes) }));
