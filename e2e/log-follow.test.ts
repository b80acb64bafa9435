import { expect, test } from "vitest";

import { startBusyboxPod } from "./streams/busybox-pod.ts";
import { connectThroughProxy } from "./streams/through-proxy.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const lineCount = 100_000;
const cutCount = 20;

test("LOG-FOLLOW: of 100,000 lines each comes once, while the connection is cut 20 times", async () => {
  await using namespace = await createTestNamespace();
  // With pauses, so that cuts meet both a stream in full flow and one that waits for more.
  const count = `i=0; while [ $i -lt ${lineCount} ]; do echo $i; i=$((i+1)); [ $((i%1000)) = 0 ] && usleep 100000; done; exit 0`;
  await startBusyboxPod(namespace, "printer", count);
  await using proxied = await connectThroughProxy(namespace.testCluster, namespace.name);
  const { cluster, proxy } = proxied;
  const lines: number[] = [];
  let cuts = 0;
  let gaps = 0;
  for await (const line of cluster.followLog({ namespace: namespace.name, pod: "printer" })) {
    lines.push(Number(line.text));
    if (line.mayFollowGap) gaps += 1;
    // A cut counts only if it cut something: lines may still come from memory.
    const isDue = cuts < cutCount && lines.length >= ((cuts + 1) * lineCount) / (cutCount + 5);
    if (!isDue || proxy.openCount === 0) continue;
    cuts += 1;
    proxy.cut();
  }
  console.log(`${lines.length} lines, ${cuts} cuts, ${proxy.connectionCount} connections`);
  expect(cuts).toBe(cutCount);
  expect(proxy.connectionCount).toBeGreaterThan(cutCount);
  expect(lines.length).toBe(lineCount);
  expect(lines.findIndex((number, index) => number !== index)).toBe(-1);
  expect(gaps).toBe(0);
});
