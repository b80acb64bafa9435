import { randomBytes } from "node:crypto";
import { appendFile, chmod, link, mkdir, mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Cluster, Job, PersistentVolumeClaim, Pod } from "@slipway/cluster";
import { contextManifest, openWorkspace, type Workspace, type WorkspaceVersion } from "@slipway/context-sync";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { evictPod } from "./support/evict-pod.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";
import { hashInPod } from "./support/workspace-content.ts";

let test: TestNamespace;
let workspace: Workspace;
let folder: string;
beforeAll(async () => {
  test = await createTestNamespace();
  workspace = await openWorkspace(test.cluster, { name: "workspace", image: test.testCluster.images.busybox });
  folder = await mkdtemp(join(tmpdir(), "slipway-workspace-"));
});
afterAll(async () => {
  await test[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function makeContext(name: string, files = 50): Promise<string> {
  const root = join(folder, name);
  await mkdir(join(root, "src"), { recursive: true });
  for (let index = 0; index < files; index += 1) {
    await writeFile(join(root, "src", `file-${index}`), randomBytes(2000 + index));
  }
  return root;
}

async function inPod(...command: string[]): Promise<string> {
  return outputOf(workspace.pod, ...command);
}

async function outputOf(pod: string, ...command: string[]): Promise<string> {
  await using stream = await test.cluster.exec({ namespace: test.name, pod, command, stdin: false });
  let output = "";
  for await (const chunk of stream.stdio) output += (chunk as Buffer).toString("latin1");
  return output;
}

async function expectSynced(root: string, version: WorkspaceVersion, pod = workspace.pod): Promise<void> {
  const { sha256 } = await contextManifest(root, { cache: false });
  expect(version.sha256).toBe(sha256);
  expect(await hashInPod(test, pod, version.path)).toBe(sha256);
}

describe("a workspace", () => {
  it("holds what the client has: names, modes, links of both kinds", async () => {
    const root = await makeContext("hard", 3);
    const long = "long-".repeat(40);
    await mkdir(join(root, long, long), { recursive: true });
    await writeFile(join(root, long, long, long), "deep");
    await symlink(`${long}/${long}/${long}`, join(root, "to-long"));
    await link(join(root, long, long, long), join(root, "twin"));
    await writeFile(join(root, "日本語 \u{1f600}"), "x", { mode: 0o755 });
    await writeFile(join(root, "line\nbreak\\"), "y");
    await writeFile(join(root, "none"), "z");
    await chmod(join(root, "none"), 0);
    await writeFile(join(root, "setuid"), "s");
    await chmod(join(root, "setuid"), 0o4755);
    await mkdir(join(root, "empty"), { mode: 0o700 });
    await symlink("nowhere", join(root, "dangling"));
    await writeFile(join(root, "large"), randomBytes(3_000_000));
    const version = await workspace.sync(root);
    await expectSynced(root, version);
    expect(version.sentFiles).toBe(version.files);
  });

  it("takes only what has changed, and applies what is gone", async () => {
    const root = await makeContext("delta", 500);
    const first = await workspace.sync(root);
    await writeFile(join(root, "src/file-7"), "changed");
    const second = await workspace.sync(root);
    await expectSynced(root, second);
    expect(second.sentFiles).toBe(2);
    expect(second.sentBytes).toBeLessThan(first.sentBytes / 15);

    await unlink(join(root, "src/file-8"));
    await rename(join(root, "src/file-9"), join(root, "renamed"));
    await unlink(join(root, "src/file-10"));
    await mkdir(join(root, "src/file-10/now-a-folder"), { recursive: true });
    await chmod(join(root, "src"), 0o750);
    await link(join(root, "src/file-11"), join(root, "src/twin-of-11"));
    const third = await workspace.sync(root);
    await expectSynced(root, third);
    expect(third.sentFiles).toBeLessThan(10);
    // Who still uses the older versions has them as they were.
    expect(await hashInPod(test, workspace.pod, second.path)).toBe(second.sha256);
    expect(await hashInPod(test, workspace.pod, first.path)).toBe(first.sha256);

    const fourth = await workspace.sync(root);
    expect(fourth).toMatchObject({ sentFiles: 0, sentBytes: 0, path: third.path });
    const elsewhere = await openWorkspace(test.cluster, { name: "workspace", image: test.testCluster.images.busybox });
    expect(await elsewhere.sync(root)).toMatchObject({ sentFiles: 0, path: third.path });
  });

  it("sends text compressed, and what would not become smaller as it is", async () => {
    const root = await makeContext("text", 5);
    const line = (index: number): string =>
      `export const answer${index} = { value: ${index * 7919}, isKnown: true };\n`;
    for (let index = 0; index < 300; index += 1) {
      const lines = Array.from({ length: 100 }, (_, number) => line(index * 100 + number));
      await writeFile(join(root, "src", `text-${index}.ts`), lines.join(""));
    }
    const text = await workspace.sync(root);
    await expectSynced(root, text);
    expect(text.sentBytes).toBeLessThan(text.totalBytes / 3);
    await writeFile(join(root, "src/random"), randomBytes(4_000_000));
    const random = await workspace.sync(root);
    await expectSynced(root, random);
    expect(random.sentBytes).toBeGreaterThan(4_000_000);
    expect(random.sentBytes).toBeLessThan(4_000_000 + 100_000);
  });

  it("lets go of versions that are released", async () => {
    const root = await makeContext("released", 5);
    const before = await workspace.sync(root);
    await before.release();
    await appendFile(join(root, "src/file-0"), "more");
    const after = await workspace.sync(root);
    await expectSynced(root, after);
    expect(await inPod("ls", "/workspace/versions")).not.toContain(before.path.split("/")[3]);
    expect(await inPod("ls", "/workspace/incoming", "/workspace/trash")).not.toMatch(/[0-9a-f]{16}/);
  });

  it("puts further files in the place of those of the context", async () => {
    const root = await makeContext("further", 2);
    await writeFile(join(root, "Dockerfile"), "FROM context");
    const prepend = [{ path: "Dockerfile", content: "FROM elsewhere" }];
    const version = await workspace.sync(root, { prepend, exclude: ["src"] });
    expect(await inPod("sh", "-c", `cd ${version.path} && ls && cat Dockerfile`)).toBe("Dockerfile\nFROM elsewhere");
  });

  it("gives clients that sync at once each their own context", async () => {
    const roots = await Promise.all(["one", "two"].map((name) => makeContext(name, 20)));
    for (let round = 0; round < 5; round += 1) {
      const versions = await Promise.all(
        roots.map(async (root, index) => {
          await writeFile(join(root, "src/file-0"), `${index} ${round}`);
          const client = await openWorkspace(test.cluster, {
            name: "workspace",
            image: test.testCluster.images.busybox,
          });
          return await client.sync(root);
        }),
      );
      for (const [index, version] of versions.entries()) {
        await expectSynced(roots[index] ?? "", version);
        await version.release();
      }
    }
  });

  it("gives clients that fight over one context what each of them has sent", async () => {
    const roots = await Promise.all(["left", "right", "middle"].map((name) => makeContext(name, 20)));
    const versions = await Promise.all(roots.map((root) => workspace.sync(root, { name: "same" })));
    for (const [index, version] of versions.entries()) await expectSynced(roots[index] ?? "", version);
  });

  it("begins anew where a sync was cut off", async () => {
    const root = await makeContext("cut", 50);
    await writeFile(join(root, "large"), randomBytes(20_000_000));
    await expect(workspace.sync(root, { signal: AbortSignal.timeout(150) })).rejects.toMatchObject({
      name: "BuilderError",
    });
    await expectSynced(root, await workspace.sync(root));
  });

  it("fails for a file that changes meanwhile, and names it", async () => {
    const root = await makeContext("changing", 3);
    await writeFile(join(root, "large"), randomBytes(30_000_000));
    await contextManifest(root);
    const syncing = workspace.sync(root);
    const changing = setInterval(() => void appendFile(join(root, "large"), "more"), 10);
    try {
      await expect(syncing).rejects.toMatchObject({ code: "CONTEXT_INVALID", details: { path: "large" } });
    } finally {
      clearInterval(changing);
    }
  });
});

/** What is left of a workspace, by kind and name. */
async function leftOf(name: string): Promise<readonly string[]> {
  const kinds = [
    { apiVersion: "batch/v1", kind: "Job" },
    { apiVersion: "v1", kind: "Pod" },
    { apiVersion: "v1", kind: "PersistentVolumeClaim" },
  ];
  const labelSelector = `slipway.dev/workspace=${name}`;
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const { items } = await test.cluster.list<Job | Pod | PersistentVolumeClaim>(kind, { labelSelector });
      return items.map(({ metadata }) => `${kind.kind} ${metadata?.name ?? ""}`);
    }),
  );
  return lists.flat();
}

it.concurrent(
  "a workspace that nobody uses ends, leaves nothing behind, and is started anew when it is wanted",
  async ({ expect }) => {
    const options = {
      name: "idle",
      image: test.testCluster.images.busybox,
      idleMs: 1000,
      volume: { type: "claim-template", size: "64Mi" },
    } as const;
    const first = await openWorkspace(test.cluster, options);
    expect(await leftOf("idle")).toEqual([
      "Job idle",
      `Pod ${first.pod}`,
      `PersistentVolumeClaim ${first.claimName ?? ""}`,
    ]);
    await expect.poll(() => leftOf("idle"), { timeout: 60_000, interval: 1000 }).toEqual([]);
    const again = await openWorkspace(test.cluster, { ...options, idleMs: 600_000 });
    const root = await makeContext("idle", 2);
    await expectSynced(root, await again.sync(root), again.pod);
    await again.delete();
  },
);

it.concurrent("a workspace that has ended, but is still there, is replaced", async ({ expect }) => {
  const options = { name: "ended", image: test.testCluster.images.busybox };
  const first = await openWorkspace(test.cluster, { ...options, idleMs: 1000 });
  await test.cluster.waitFor<Job, true>(
    { apiVersion: "batch/v1", kind: "Job" },
    {
      ...{ fieldSelector: "metadata.name=ended", timeoutMs: 60_000 },
      until: ([job]) => job?.status?.conditions?.some(({ type }) => type === "Complete") || undefined,
    },
  );
  const again = await openWorkspace(test.cluster, options);
  expect(again.pod).not.toBe(first.pod);
  const root = await makeContext("ended", 2);
  await expectSynced(root, await again.sync(root), again.pod);
  await again.delete();
});

it.concurrent("a version that is leased keeps its workspace, which nobody syncs to any more", async ({ expect }) => {
  const options = { name: "leased", image: test.testCluster.images.busybox, idleMs: 1000 };
  const workspace = await openWorkspace(test.cluster, options);
  const root = await makeContext("leased", 2);
  const version = await workspace.sync(root, { leaseMs: 15_000 });
  const startedMs = performance.now();
  await expect.poll(() => leftOf("leased"), { timeout: 60_000, interval: 1000 }).toEqual([]);
  expect(performance.now() - startedMs).toBeGreaterThan(14_000);
  await expect(version.release()).rejects.toMatchObject({ name: "BuilderError" });
});

it.concurrent(
  "a workspace whose client died before the claim was there gets it from the next one, and its lifetime runs",
  async ({ expect }) => {
    const volume = { type: "claim-template", size: "64Mi" } as const;
    const options = { name: "unclaimed", image: test.testCluster.images.busybox, volume, startTimeoutMs: 60_000 };
    const never = new Promise<never>(() => undefined);
    const dying: Cluster = {
      ...test.cluster,
      create: (object, call) => (object.kind === "PersistentVolumeClaim" ? never : test.cluster.create(object, call)),
    };
    // Nothing of it goes on: it neither makes the claim nor cleans up.
    void openWorkspace(dying, options);
    const job = await test.cluster.waitFor<Job, Job>(
      { apiVersion: "batch/v1", kind: "Job" },
      {
        ...{ fieldSelector: "metadata.name=unclaimed", timeoutMs: 60_000 },
        until: ([found]) => (found?.status?.startTime === undefined ? undefined : found),
      },
    );
    const next = await openWorkspace(test.cluster, options);
    expect(await leftOf("unclaimed")).toEqual([
      "Job unclaimed",
      `Pod ${next.pod}`,
      `PersistentVolumeClaim ${next.claimName ?? ""}`,
    ]);
    expect(job.spec?.activeDeadlineSeconds).toBeGreaterThan(0);
    await next.delete();
  },
);

it.concurrent("a workspace on a claim survives the eviction of its pod, with all that it holds", async ({ expect }) => {
  const volume = { type: "claim-template", size: "64Mi" } as const;
  const options = { name: "evicted", image: test.testCluster.images.busybox, volume };
  const before = await openWorkspace(test.cluster, options);
  const root = await makeContext("evicted", 20);
  const version = await before.sync(root);
  await evictPod(test, before.pod);
  const after = await openWorkspace(test.cluster, options);
  expect(after.pod).not.toBe(before.pod);
  expect(await after.sync(root)).toMatchObject({ sentFiles: 0, sentBytes: 0, path: version.path });
  await expectSynced(root, version, after.pod);
  // Who has had it since before goes on in the other pod.
  expect(before.pod).not.toBe(after.pod);
  await version.renew();
  expect(before.pod).toBe(after.pod);
  const leases = () => outputOf(after.pod, "sh", "-c", "ls /workspace/versions/*/leases | wc -l");
  expect(await leases()).toBe("2\n");
  await version.release();
  expect(await leases()).toBe("1\n");
  await after.delete();
});
