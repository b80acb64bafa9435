import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";

import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "../test-namespace.ts";

const routeTimeoutMs = 30_000;
const pauseMs = 200;

/**
 * How long one connection may take, in seconds. One that began before the node knew the Service can be lost for good, and would itself give up after two
 * minutes only; a new one gets there.
 */
const connectTimeoutSeconds = 2;

/**
 * Waits until the builders of a namespace reach a registry by the name of its Service: nodes learn of a pod that is ready up to a second later, and
 * what is sent meanwhile gets lost.
 */
export async function untilServed({ cluster, name: namespace }: TestNamespace, host: string): Promise<void> {
  const selector = { labelSelector: "slipway.dev/builder" };
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, selector);
  const running = items.filter(({ status }) => status?.phase === "Running");
  const command = ["sh", "-c", `timeout ${String(connectTimeoutSeconds)} wget -O /dev/null http://${host}/v2/ 2>&1`];
  for (const { metadata } of running) {
    const target = { namespace, pod: metadata?.name ?? "", container: "buildkitd", command, stdin: false };
    const deadlineMs = performance.now() + routeTimeoutMs;
    for (;;) {
      await using stream = await cluster.exec(target);
      const output = await text(stream.stdio);
      if (/HTTP\/1\.1 \d+/.test(output)) break;
      if (performance.now() > deadlineMs) throw new Error(`${host} cannot be reached: ${output}`);
      await delay(pauseMs);
    }
  }
}
