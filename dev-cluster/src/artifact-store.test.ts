import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Artifact, createArtifactStore } from "./artifact-store.ts";

describe.runIf(process.platform === "linux")("an artifact store", () => {
  let cache = "";
  beforeEach(() => void (cache = mkdtempSync(join(tmpdir(), "slipway-artifacts-"))));
  afterEach(() => rmSync(cache, { recursive: true }));

  it("builds once for many who ask at the same time", async () => {
    let builds = 0;
    const artifact: Artifact = {
      name: "thing",
      key: "1",
      build: (folder) => writeFile(join(folder, "file"), String(++builds)),
    };
    const store = createArtifactStore(cache);
    const folders = await Promise.all([store.ensure(artifact), store.ensure(artifact), store.ensure(artifact)]);
    expect(new Set(folders).size).toBe(1);
    expect(readFileSync(join(store.folder(artifact), "file"), "utf8")).toBe("1");
  });

  it("shows nothing of a failed build, and builds again", async () => {
    let shouldFail = true;
    const artifact: Artifact = {
      name: "thing",
      key: "1",
      build: (folder) => (shouldFail ? Promise.reject(new Error("no luck")) : writeFile(join(folder, "file"), "")),
    };
    const store = createArtifactStore(cache);
    await expect(store.ensure(artifact)).rejects.toThrow("no luck");
    expect(store.has(artifact)).toBe(false);
    shouldFail = false;
    await store.ensure(artifact);
    expect(store.has(artifact)).toBe(true);
  });

  it("removes what a killed process left unfinished, and keeps what a running one is at", async () => {
    const ended = spawnSync("true").pid;
    const unfinished = join(cache, "unfinished");
    const running = `other-1.${process.ppid}.${
      readFileSync(`/proc/${process.ppid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")[19] ?? ""
    }`;
    for (const name of [`thing-1.${ended}.5`, running]) mkdirSync(join(unfinished, name), { recursive: true });
    await createArtifactStore(cache).ensure({ name: "thing", key: "2", build: () => Promise.resolve() });
    expect(readdirSync(unfinished)).toEqual([running]);
    expect(existsSync(join(cache, "artifacts", "thing-2"))).toBe(true);
  });
});
