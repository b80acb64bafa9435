import { randomBytes, randomInt } from "node:crypto";

import { sendVerified } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";
import { expect, test } from "vitest";

import { startBusyboxPod } from "./streams/busybox-pod.ts";
import { connectThroughProxy } from "./streams/through-proxy.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const uploadBytes = 8 * 1024 * 1024;
/** Beyond the upload itself: TLS, the handshake and the close, so that some cuts come when all has been sent. */
const overheadBytes = 64 * 1024;

test("EXEC-CUT: an upload that is cut at any of 50 points is a typed error or verified, never short", async () => {
  await using namespace = await createTestNamespace();
  await startBusyboxPod(namespace, "consumer", "sleep 3600 & wait");
  await using proxied = await connectThroughProxy(namespace.testCluster, namespace.name);
  const block = randomBytes(1024 * 1024);
  const outcomes = new Map<string, number>();
  for (let round = 0; round < 50; round += 1) {
    const cutAt = randomInt(uploadBytes + overheadBytes);
    proxied.proxy.cutAfter(cutAt);
    const source = Array.from({ length: uploadBytes / block.length }, () => block);
    const command = ["sh", "-c", `cat >/tmp/${round}`];
    let outcome: string;
    try {
      const upload = await sendVerified(proxied.cluster, {
        namespace: namespace.name,
        pod: "consumer",
        command,
        source,
      });
      expect(upload).toMatchObject({ sizeBytes: uploadBytes, exitCode: 0 });
      const size = await sizeInPod(namespace, `/tmp/${round}`);
      expect(size, `cut at ${cutAt}`).toBe(uploadBytes);
      outcome = "verified";
    } catch (error) {
      if (!BuilderError.isInstance(error)) throw error;
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    await cleanUp(namespace, `/tmp/${round}`);
  }
  console.log(`outcomes of 50 cuts: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  const allowed = ["verified", "CLUSTER_UNREACHABLE", "CONTEXT_SYNC_FAILED"];
  expect([...outcomes.keys()].filter((outcome) => !allowed.includes(outcome))).toEqual([]);
  // Most points lie inside the upload: if none was noticed, nothing was cut.
  expect(outcomes.get("CLUSTER_UNREACHABLE")).toBeGreaterThan(25);
});

type Namespace = Awaited<ReturnType<typeof createTestNamespace>>;

async function inPod({ cluster, name: namespace }: Namespace, command: readonly string[]): Promise<string> {
  const stream = await cluster.exec({ namespace, pod: "consumer", command, stdin: false });
  let output = "";
  for await (const chunk of stream.stdio) output += String(chunk);
  await stream.status;
  return output;
}

async function sizeInPod(namespace: Namespace, path: string): Promise<number> {
  return Number(await inPod(namespace, ["stat", "-c", "%s", path]));
}

async function cleanUp(namespace: Namespace, path: string): Promise<void> {
  await inPod(namespace, ["rm", "-f", path]);
}
