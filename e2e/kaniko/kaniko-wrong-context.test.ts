import { randomBytes } from "node:crypto";
import { appendFile, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { KanikoDriverOptions } from "slipway/kaniko";
import { afterAll, describe, expect, test } from "vitest";

import { createContextFolder } from "../support/context-folder.ts";
import { hashInEvents, hashingDockerfile, hashOfFolder, printedHash } from "./context-hash.ts";
import { cutBuilds, type CutBuild } from "./cut-builds.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const dockerfile = hashingDockerfile(trials.from);
const lanes = 8;
const seed = 20_261_121;
const hangMs = 60_000;

/**
 * Whole builds, each with a Dockerfile that prints the hash of what it got, on eight clients at once: four send their contexts through stdin, four share
 * a workspace. Most of those that fail do so because every other build may not try again. The syncs alone, which are all of a build that a cut can make
 * wrong when there is a workspace, are cut in `workspace-cut.test.ts`. Faults of files and a full disk follow below.
 */
const cutCount = 200;

test(
  `WRONG-CONTEXT: each of ${cutCount} builds whose connections are cut anywhere has the client's context, or a typed error`,
  { timeout: 1_200_000 },
  async () => {
    const clients = Array.from({ length: lanes }, async (_, lane) => {
      const transport = lane % 2 === 0 ? "stream" : "workspace";
      const builds: CutBuild[] = [];
      const options = { transport, rounds: Math.ceil(cutCount / lanes), seed: seed * (lane + 1) } as const;
      for await (const build of cutBuilds(kaniko, options)) builds.push(build);
      return builds;
    });
    const builds = (await Promise.all(clients)).flat();
    const counts = new Map<string, number>();
    for (const { transport, wasCut, attempts, outcome } of builds) {
      const key = `${transport} ${wasCut ? "cut" : "uncut"} ${outcome}${attempts > 1 ? ` in ${attempts} attempts` : ""}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const slowestMs = Math.max(...builds.map(({ durationMs }) => durationMs));
    console.log(`${builds.length} builds, the slowest in ${Math.round(slowestMs)} ms`, Object.fromEntries(counts));
    for (const { outcome, hashes, cutAt } of builds)
      if (outcome === "built") expect(hashes[1], `cut at ${cutAt}`).toBe(hashes[0]);
    const allowed = ["built", "CLUSTER_UNREACHABLE", "CONTEXT_SYNC_FAILED"];
    // With where they were: it is hard to make them do it again.
    expect(builds.filter(({ outcome }) => !allowed.includes(outcome))).toEqual([]);
    expect(slowestMs).toBeLessThan(hangMs);
    expect(builds.filter(({ wasCut }) => wasCut).length).toBeGreaterThan(cutCount / 2);
  },
);

const files = () => ({ "a-large": randomBytes(24 * 1024 * 1024), "z-last": randomBytes(300_000) });
const faults = [
  { fault: "shrinks", file: "a-large", change: (path: string) => truncate(path, 1000) },
  { fault: "grows", file: "a-large", change: (path: string) => appendFile(path, randomBytes(100_000)) },
  { fault: "vanishes", file: "z-last", change: unlink },
];
const transports: readonly { readonly way: string; readonly driver: KanikoDriverOptions }[] = [
  { way: "stdin", driver: {} },
  { way: "a workspace", driver: { workspace: { size: "1Gi" } } },
];
const cases = transports.flatMap((transport) => faults.map((fault) => ({ ...transport, ...fault })));

describe.concurrent("what becomes of a context while it is sent", () => {
  test.each(cases)("WRONG-CONTEXT: through $way, a file that $fault", async ({ way, driver, fault, file, change }) => {
    await using folder = await createContextFolder(files());
    const startedMs = performance.now();
    const { outcome, build } = await trials.run(dockerfile, {
      ...{ folder, driver },
      onStart: async (running) => {
        // The large file is under way.
        await running.waitFor("context-progress", ({ sentBytes }) => sentBytes > 0);
        await change(join(folder.path, file));
      },
    });
    expect(performance.now() - startedMs).toBeLessThan(hangMs);
    if (way === "stdin" && fault === "vanishes") {
      // Nothing has seen it yet, and a context without it is what the client has.
      expect(hashInEvents(build.events)).toBe(await hashOfFolder(folder.path));
    } else {
      expect(outcome).toMatchObject({ code: "CONTEXT_INVALID", details: { path: file } });
    }
  });

  test("WRONG-CONTEXT: a workspace whose disk is full says so, and what fits is built", async () => {
    await using folder = await createContextFolder({ large: randomBytes(20 * 1024 * 1024) });
    // What comes in does so on a disk of its own.
    const podTemplate = {
      spec: {
        volumes: [{ name: "small", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } }],
        containers: [{ name: "workspace", volumeMounts: [{ name: "small", mountPath: "/workspace/incoming" }] }],
      },
    };
    const driver: KanikoDriverOptions = { workspace: { name: "small", size: "64Mi", podTemplate } };
    const startedMs = performance.now();
    const error = await trials.fail(dockerfile, { folder, driver });
    expect(error).toMatchObject({ code: "DISK_FULL", retryable: false });
    expect(performance.now() - startedMs).toBeLessThan(hangMs);
    await folder.write("large", randomBytes(4 * 1024 * 1024));
    const { output } = await trials.succeed(dockerfile, { folder, driver });
    expect(printedHash(output)).toBe(await hashOfFolder(folder.path));
  });
});
