import { randomBytes } from "node:crypto";
import { chmod, rm, symlink } from "node:fs/promises";
import { join } from "node:path";

import type { Job, PersistentVolumeClaim, Pod } from "@slipway/cluster";
import { createBuilder } from "slipway";
import { kanikoDriver, requiredRbac, workspaceRbac, type KanikoDriverOptions } from "slipway/kaniko";
import { afterAll, describe, expect, test } from "vitest";

import { createLimitedUser } from "../bad-input/limited-user.ts";
import { createContextFolder } from "../support/context-folder.ts";
import { evictPod } from "../support/evict-pod.ts";
import { resultOf, type ObservedBuild } from "../support/observed-build.ts";
import { hashInEvents, hashingDockerfile, hashOfFolder, printedHash } from "./context-hash.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";
import { inWorkspace } from "./workspace-state.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const { from } = trials;
const { cluster } = kaniko.namespace;
const driver: KanikoDriverOptions = { workspace: { size: "1Gi" } };
/** A workspace of a test's own. */
const workspace = (name: string): KanikoDriverOptions => ({ workspace: { name, size: "64Mi" } });
const noise = randomBytes(1024 * 1024);

/** What the events of a build say was sent, attempt by attempt. */
function sentBytesOf({ events }: ObservedBuild): readonly number[] {
  const attempts = [0];
  for (const event of events) {
    if (event.type === "build-retry") attempts.push(0);
    if (event.type === "context-progress") attempts[attempts.length - 1] = event.sentBytes;
  }
  return attempts;
}

function evict({ metadata }: Pod): Promise<void> {
  return evictPod(kaniko.namespace, metadata?.name ?? "");
}

/** The pods of a workspace. */
async function keepersOf(name: string): Promise<readonly Pod[]> {
  const of = { labelSelector: `slipway.dev/workspace=${name}` };
  return (await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, of)).items;
}

describe.concurrent("a build from a workspace", () => {
  test("has the context as it is, sends only what has changed, and mounts it where no image is", async () => {
    await using folder = await createContextFolder({ "a/noise": noise, "b/empty": "", "c d/é": "x", run: "#!/bin/sh" });
    await chmod(join(folder.path, "run"), 0o755);
    await symlink("a/noise", join(folder.path, "link"));
    const dockerfile = `${hashingDockerfile(from)}RUN test ! -e /workspace/versions && stat -c %a /context\n`;
    let pod: Pod | undefined;
    const first = await trials.succeed(dockerfile, {
      ...{ folder, driver },
      whileRunning: (made) => {
        pod = made;
        return Promise.resolve();
      },
    });
    expect(printedHash(first.output)).toBe(await hashOfFolder(folder.path));
    expect(first.output).toContain("\n755\n");
    expect(first.result.context.sentBytes).toBeGreaterThan(noise.length);
    const [executor] = pod?.spec?.containers ?? [];
    expect(executor?.args).toContain("--context=dir:///kaniko/context");
    expect(executor?.stdin ?? false).toBe(false);
    expect(executor?.volumeMounts).toContainEqual(
      expect.objectContaining({ mountPath: "/kaniko/context", readOnly: true }),
    );

    await folder.write("a/more", "more");
    await rm(join(folder.path, "b"), { recursive: true });
    const second = await trials.succeed(dockerfile, { folder, driver });
    expect(printedHash(second.output)).toBe(await hashOfFolder(folder.path));
    console.log(`sent ${first.result.context.sentBytes} bytes, then ${second.result.context.sentBytes}`);
    expect(second.result.context.sentFiles).toBe(2);
    expect(second.result.context.sentBytes).toBeLessThan(noise.length / 50);
    expect(second.result.context.totalBytes).toBeGreaterThan(noise.length);
  });

  test("leaves out what .dockerignore names, and has the Dockerfile even so", async () => {
    const files = { "a.txt": "a", "b.log": "b", ".dockerignore": "Dockerfile\n*.log\n" };
    const { output } = await trials.succeed(`${from}WORKDIR /app\nCOPY . .\nRUN find . | sort\n`, { files, driver });
    expect(output).toBe(".\n./.dockerignore\n./a.txt\n");
  });

  test("EVICT: a build whose pod is evicted succeeds, with 0 bytes of its context sent again", async () => {
    await using folder = await createContextFolder({ noise: randomBytes(1024 * 1024) });
    const states: string[] = [];
    const { build, outcome } = await trials.run(`${hashingDockerfile(from)}RUN sleep 5\n`, {
      ...{ folder, driver: workspace("evicted"), kaniko: { cache: { enabled: false } } },
      whileRunning: async (pod, running) => {
        await running.waitFor("step-log", ({ text }) => text.startsWith("context-hash"));
        states.push(await inWorkspace(kaniko, "ls -i versions/*/context/noise", "evicted"));
        await evict(pod);
      },
    });
    const result = await resultOf({ outcome });
    states.push(await inWorkspace(kaniko, "ls -i versions/*/context/noise", "evicted"));
    expect(build.events.filter(({ type }) => type === "build-retry")).toMatchObject([{ error: { code: "POD_LOST" } }]);
    expect(result.pods).toHaveLength(2);
    const [first, again, ...further] = sentBytesOf(build);
    expect(first).toBeGreaterThan(1024 * 1024);
    expect(again).toBe(0);
    expect(further).toEqual([]);
    expect(result.context).toMatchObject({ sentFiles: 0, sentBytes: 0, files: 2 });
    // The very files that were there before.
    expect(states[1]).toBe(states[0]);
    const hashes = build.events.flatMap((event) => (event.type === "step-log" ? (printedHash(event.text) ?? []) : []));
    expect(hashes).toEqual(Array(2).fill(await hashOfFolder(folder.path)));
  });

  test("EVICT: when the workspace's pod is evicted too, its volume still has the context", async () => {
    await using folder = await createContextFolder({ noise: randomBytes(1024 * 1024) });
    const { build, outcome } = await trials.run(`${from}COPY . /context/\nRUN echo hello && sleep 5\n`, {
      ...{ folder, driver: workspace("twice-evicted") },
      whileRunning: async (pod, running) => {
        await running.waitFor("step-log", ({ text }) => text.startsWith("hello"));
        for (const evicted of [...(await keepersOf("twice-evicted")), pod]) await evict(evicted);
      },
    });
    await resultOf({ outcome });
    expect(sentBytesOf(build).slice(1)).toEqual([0]);
  });

  test("EVICT: when the workspace's pod is evicted while a context is on its way, the context is sent to the next one", async () => {
    await using folder = await createContextFolder({ noise: randomBytes(48 * 1024 * 1024) });
    const { build, outcome } = await trials.run(hashingDockerfile(from), {
      ...{ folder, driver: workspace("evicted-early") },
      onStart: async (running) => {
        await running.waitFor("context-progress", ({ sentBytes }) => sentBytes > 1024 * 1024);
        for (const keeper of await keepersOf("evicted-early")) await evict(keeper);
      },
    });
    await resultOf({ outcome });
    expect(hashInEvents(build.events)).toBe(await hashOfFolder(folder.path));
  });

  test("EVICT: a Dockerfile that fails is not built again, nor is one that takes too much memory", async () => {
    const failing = await trials.run(`${from}RUN exit 7\n`, { driver });
    expect(failing.outcome).toMatchObject({ code: "BUILD_FAILED", details: { exitCode: 7 } });
    const limits = { memory: "192Mi" };
    const devourer = `awk 'BEGIN { s = "x"; while (1) s = s s }'`;
    const hungry = await trials.run(`${from}RUN ${devourer}\n`, { driver: { ...driver, resources: { limits } } });
    expect(hungry.outcome).toMatchObject({ code: "OUT_OF_MEMORY" });
    for (const { events } of [failing.build, hungry.build]) {
      expect(events.filter(({ type }) => type === "build-retry")).toEqual([]);
      expect(new Set(events.flatMap((event) => (event.type === "pod-phase" ? [event.pod] : []))).size).toBe(1);
    }
  });

  test("is what an executor gets that is not trusted with stdin, without being asked for; its coloured log has steps", async () => {
    await using folder = await createContextFolder({ file: "content" });
    let pod: Pod | undefined;
    const old: KanikoDriverOptions = { executor: { flavour: "google", version: "v0.17.1" } };
    const { output, result } = await trials.succeed(hashingDockerfile(from), {
      ...{ folder, driver: old },
      whileRunning: (made) => {
        pod = made;
        return Promise.resolve();
      },
    });
    expect(pod?.spec?.containers[0]?.args).toContain("--context=dir:///kaniko/context");
    expect(pod?.spec?.containers[0]?.args?.filter((argument) => argument.startsWith("--log-format"))).toEqual([]);
    expect(printedHash(output)).toBe(await hashOfFolder(folder.path));
    expect(result.steps.map(({ name }) => name.split(" ")[0])).toEqual(["prepare", "COPY", "RUN", "push"]);
    expect(() => kanikoDriver({ ...kaniko.driverOptions, ...old, workspace: { enabled: false } })).toThrow(
      /cannot read a context from stdin/,
    );
  });

  test("needs no more than requiredRbac and workspaceRbac", async () => {
    await using user = await createLimitedUser(kaniko.namespace, "contexts", [...requiredRbac, ...workspaceRbac]);
    const limited = { ...workspace("limited"), kubeconfig: user.kubeconfig, context: user.context };
    await using builder = createBuilder({ driver: kanikoDriver({ ...kaniko.driverOptions, ...limited }) });
    await builder.bootstrap();
    await trials.succeed(`${from}COPY . /context/\nRUN echo hello\n`, { driver: limited });
    await using stranger = await createLimitedUser(kaniko.namespace, "streams", requiredRbac);
    const lacking = { ...kaniko.driverOptions, ...limited, kubeconfig: stranger.kubeconfig };
    await using refused = createBuilder({ driver: kanikoDriver(lacking) });
    await expect(refused.bootstrap()).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  const statesOf = async (name: string) =>
    (await keepersOf(name)).map(({ metadata, status }) => [metadata?.uid, status?.phase]);

  test("keeps the pod that has come in the place of its workspace's evicted one, and lets go of its context there", async ({
    expect,
  }) => {
    const own: KanikoDriverOptions = { workspace: { name: "replaced", size: "64Mi", idleMs: 10_000 } };
    const states: unknown[] = [];
    await trials.succeed(`${from}RUN echo waiting && sleep 30\nRUN echo done\n`, {
      driver: own,
      onStart: async (running) => {
        await running.waitFor("step-log", ({ text }) => text.startsWith("waiting"));
        const evicted = await keepersOf("replaced");
        for (const keeper of evicted) await evict(keeper);
        const uids = evicted.map(({ metadata }) => metadata?.uid);
        const isReplaced = async () => {
          const [state, ...others] = await statesOf("replaced");
          return others.length === 0 && !uids.includes(String(state?.[0])) && state?.[1] === "Running";
        };
        await expect.poll(isReplaced, { timeout: 15_000 }).toBe(true);
        states.push(await statesOf("replaced"));
        await running.waitFor("step-log", ({ text }) => text.startsWith("done"));
        states.push(await statesOf("replaced"));
      },
    });
    expect(states[1]).toEqual(states[0]);
    expect(await inWorkspace(kaniko, "ls versions/*/leases | wc -l", "replaced")).toBe("0\n");
  });

  test("keeps its workspace for as long as it takes, also beyond the time after which one is idle", async () => {
    const own: KanikoDriverOptions = { workspace: { name: "short", size: "64Mi", idleMs: 10_000 } };
    const states: unknown[] = [];
    await trials.succeed(`${from}RUN echo waiting && sleep 25\nRUN echo done\n`, {
      driver: own,
      onStart: async (running) => {
        await running.waitFor("step-log", ({ text }) => text.startsWith("waiting"));
        states.push(await statesOf("short"));
        await running.waitFor("step-log", ({ text }) => text.startsWith("done"));
        states.push(await statesOf("short"));
      },
    });
    expect(states[0]).toEqual([[expect.any(String), "Running"]]);
    expect(states[1]).toEqual(states[0]);
  });

  /** Not so long that the workspace ends by itself. */
  const longAgo = "touch -d @$(($(date +%s) - 1800))";

  test("lets go of its context when it is done, and prune removes a workspace that nobody uses", async () => {
    const own = workspace("pruned");
    await using builder = createBuilder({ driver: kanikoDriver({ ...kaniko.driverOptions, ...own }) });
    await builder.bootstrap();
    expect(await inWorkspace(kaniko, "ls versions", "pruned")).toBe("");
    await trials.succeed(`${from}RUN echo hello\n`, { driver: own });
    expect(await inWorkspace(kaniko, "ls versions/*/leases | wc -l", "pruned")).toBe("0\n");
    expect((await builder.prune({ unusedForMs: 3_600_000 })).objects).not.toContain("pruned");
    expect((await builder.prune()).objects).not.toContain("pruned");
    // A build of somebody who still says that he is there.
    const lease = "versions/held/leases/one.mounted";
    await inWorkspace(
      kaniko,
      `mkdir -p versions/held/leases && echo 99999999999 >${lease} && ${longAgo} used`,
      "pruned",
    );
    expect((await builder.prune({ unusedForMs: 0 })).objects).not.toContain("pruned");
    const jobs = { apiVersion: "batch/v1", kind: "Job" };
    expect(await cluster.get<Job>({ ...jobs, name: "pruned" })).toBeDefined();
    // Of the user's, by the same name.
    await cluster.create({ apiVersion: "v1", kind: "Secret", metadata: { name: "pruned" } });
    const neighbour = { metadata: { name: "neighbour", labels: { "slipway.dev/workspace": "pruned" } }, data: {} };
    await cluster.create({ apiVersion: "v1", kind: "ConfigMap", ...neighbour });
    // He was killed long ago.
    await inWorkspace(kaniko, `${longAgo} ${lease}`, "pruned");
    expect((await builder.prune()).objects).toContain("pruned");
    const claims = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
    await cluster.waitFor<PersistentVolumeClaim, true>(claims, {
      ...{ labelSelector: "slipway.dev/workspace=pruned", timeoutMs: 30_000 },
      until: (left) => (left.length === 0 ? true : undefined),
    });
    expect(await cluster.get<Job>({ ...jobs, name: "pruned" })).toBeUndefined();
    expect(await cluster.get({ apiVersion: "v1", kind: "ConfigMap", name: "neighbour" })).toBeDefined();
    expect(await cluster.get({ apiVersion: "v1", kind: "Secret", name: "pruned" })).toBeDefined();
  });
});

// By itself: what is measured is the time that it takes.
test("UNSCHEDULABLE: a workspace without a volume fails within 15 s, with the reason, and is not left", async ({
  expect,
}) => {
  const labelSelector = "slipway.dev/workspace=nowhere";
  const lists = async () => {
    const kinds = [
      { apiVersion: "batch/v1", kind: "Job" },
      { apiVersion: "v1", kind: "PersistentVolumeClaim" },
    ];
    const found = await Promise.all(kinds.map((kind) => cluster.list(kind, { labelSelector })));
    return found.flatMap(({ items }) => items.map(({ kind }) => kind));
  };
  const nowhere: KanikoDriverOptions = { workspace: { name: "nowhere", storageClass: "no-such-class" } };
  const startedMs = performance.now();
  const error = await trials.fail(`${from}RUN echo hello\n`, { driver: nowhere });
  expect(error).toMatchObject({ code: "UNSCHEDULABLE", retryable: false });
  expect(error.message).toMatch(/PersistentVolumeClaim/);
  expect(performance.now() - startedMs).toBeLessThan(15_000);
  await expect.poll(lists, { timeout: 20_000 }).toEqual([]);
});
