import { setTimeout as delay } from "node:timers/promises";

import type { TestNamespace } from "../test-namespace.ts";
import type { PodResponse } from "./pod-http.ts";

const refreshTimeoutMs = 120_000;
const pauseMs = 100;

/** Gives a Secret other content, and has the kubelet show it to the pod that mounts it: a change of the pod makes it look. */
export async function replaceSecret(
  { cluster }: TestNamespace,
  { secret, pod }: { readonly secret: string; readonly pod: string },
  content: Readonly<Record<string, string>>,
): Promise<void> {
  const data = Object.fromEntries(Object.entries(content).map(([key, text]) => [key, base64(text)]));
  await cluster.patch({ apiVersion: "v1", kind: "Secret", name: secret }, { data });
  const annotations = { "slipway.dev/e2e-refresh": String(Date.now()) };
  await cluster.patch({ apiVersion: "v1", kind: "Pod", name: pod }, { metadata: { annotations } });
}

/** Asks until the answer has this status. */
export async function untilAnswered(status: number, ask: () => Promise<PodResponse>): Promise<void> {
  const deadlineMs = performance.now() + refreshTimeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer.status === status) return;
    if (performance.now() > deadlineMs)
      throw new Error(`Still ${answer.status}, not ${status}: ${answer.body.toString()}`);
    await delay(pauseMs);
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
