import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { BuilderError } from "@slipway/core";
import { contextManifest, openWorkspace } from "@slipway/context-sync";
import { expect, test } from "vitest";

import { connectThroughProxy } from "./streams/through-proxy.ts";
import { createNumbers } from "./support/seeded-numbers.ts";
import { createTestNamespace } from "./support/test-namespace.ts";
import { hashInPod } from "./support/workspace-content.ts";

const cuts = 100;
const seed = 20_261_121;
const hangMs = 60_000;

test(`WRONG-CONTEXT: a sync that is cut at any of ${cuts} points has the client's hash or a typed error`, async () => {
  await using namespace = await createTestNamespace();
  await using proxied = await connectThroughProxy(namespace.testCluster, namespace.name);
  const { busybox: image } = namespace.testCluster.images;
  const workspace = await openWorkspace(proxied.cluster, { name: "workspace", image });
  const folder = await mkdtemp(join(tmpdir(), "slipway-cut-"));
  await mkdir(join(folder, "src"));
  const below = createNumbers(seed);
  for (let index = 0; index < 20; index += 1) await writeFile(join(folder, "src", `file-${index}`), randomBytes(5000));
  const outcomes = new Map<string, number>();
  let noticed = 0;
  for (let round = 0; round < cuts; round += 1) {
    await writeFile(join(folder, "src", `file-${below(25)}`), randomBytes(below(40_000)));
    const cutAt = below(50_000);
    const before = proxied.proxy.sentBytes;
    proxied.proxy.cutAfter(cutAt);
    const startMs = performance.now();
    let outcome = "synced";
    try {
      // Every third one is sent in full.
      const version = await workspace.sync(folder, { name: round % 3 === 0 ? `full-${round}` : "delta" });
      const { sha256 } = await contextManifest(folder, { cache: false });
      expect(version.sha256, `cut ${round} at ${cutAt}`).toBe(sha256);
      expect(await hashInPod(namespace, workspace.pod, version.path), `cut ${round} at ${cutAt}`).toBe(sha256);
    } catch (error) {
      if (!BuilderError.isInstance(error)) throw error;
      outcome = error.code;
    }
    expect(performance.now() - startMs).toBeLessThan(hangMs);
    if (proxied.proxy.sentBytes - before >= cutAt) noticed += 1;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  await rm(folder, { recursive: true });
  console.log(`outcomes of ${cuts} rounds with ${noticed} cuts: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  const allowed = ["synced", "CLUSTER_UNREACHABLE", "CONTEXT_SYNC_FAILED"];
  expect([...outcomes.keys()].filter((outcome) => !allowed.includes(outcome))).toEqual([]);
  expect(noticed).toBeGreaterThan(cuts / 2);
});

test("WRONG-CONTEXT: a workspace whose disk is full says so, and takes what fits behind that", async () => {
  await using namespace = await createTestNamespace();
  const workspace = await openWorkspace(namespace.cluster, {
    name: "small",
    image: namespace.testCluster.images.busybox,
    volume: { type: "emptyDir", medium: "Memory", sizeLimit: "16Mi" },
  });
  const folder = await mkdtemp(join(tmpdir(), "slipway-full-"));
  await writeFile(join(folder, "fits"), randomBytes(4_000_000));
  const first = await workspace.sync(folder);
  await writeFile(join(folder, "large"), randomBytes(14_000_000));
  await expect(workspace.sync(folder)).rejects.toMatchObject({ code: "DISK_FULL", details: { pod: workspace.pod } });
  await writeFile(join(folder, "large"), randomBytes(3_000_000));
  const second = await workspace.sync(folder);
  expect(await hashInPod(namespace, workspace.pod, second.path)).toBe(second.sha256);
  expect(await hashInPod(namespace, workspace.pod, first.path)).toBe(first.sha256);
  await rm(folder, { recursive: true });
});
