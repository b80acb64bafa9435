import { join } from "node:path";

import { expect, test } from "vitest";

import { startBusyboxPod } from "./streams/busybox-pod.ts";
import type { UploadOrder, UploadReport } from "./streams/upload-child.ts";
import { runWatchedChild } from "./streams/watched-child.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const sizeBytes = 1024 ** 3;
const memoryLimitBytes = 200_000_000;

/** Uploads 1 GiB in a process of its own; the consumer prints the sha256 of what it got, and the bytes that it left. */
async function uploadTo(consumer: string): Promise<UploadReport> {
  await using namespace = await createTestNamespace();
  await startBusyboxPod(namespace, "consumer", "sleep 3600 & wait");
  const { kubeconfigPath: kubeconfig, context } = namespace.testCluster;
  const command = ["sh", "-c", consumer];
  const order: UploadOrder = { kubeconfig, context, namespace: namespace.name, pod: "consumer", command, sizeBytes };
  const child = await runWatchedChild(join(import.meta.dirname, "streams/upload-child.ts"), {
    UPLOAD: JSON.stringify(order),
  });
  expect(child.stderr).toBe("");
  const report = JSON.parse(child.stdout) as UploadReport;
  const { wallMs, cpuMs } = report;
  console.log(
    `1 GiB: ${wallMs} ms, CPU ${cpuMs} ms, largest RSS ${Math.round(child.largestRssBytes / 1e6)} MB of ${child.sampleCount} samples`,
  );
  expect(report).toMatchObject({ exitCode: 0, output: `${report.sha256}  -\n0\n` });
  expect(child.sampleCount).toBeGreaterThan(wallMs / 200);
  expect(child.largestRssBytes).toBeLessThanOrEqual(memoryLimitBytes);
  return report;
}

test("EXEC-1GIB: 1 GiB to stdin of a consumer arrives intact, in little memory", async () => {
  await uploadTo(`head -c ${sizeBytes} | sha256sum; wc -c`);
});

test("EXEC-1GIB: a consumer that sleeps 20 s and then reads 20 MB/s costs no more memory", async () => {
  const parts = sizeBytes / (2 * 1024 * 1024);
  const slowly = `i=0; while [ $i -lt ${parts} ]; do dd bs=2M count=1 iflag=fullblock 2>/dev/null; usleep 90000; i=$((i+1)); done`;
  const { wallMs } = await uploadTo(`sleep 20; { ${slowly}; } | sha256sum; wc -c`);
  // Had it all been taken in at once, the time would not show the consumer's pace.
  expect(wallMs).toBeGreaterThan(60_000);
});
