import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createTree } from "../reference/reference-tree.ts";
import { watchContext, type ContextChange, type ContextWatcher, type WatchOptions } from "./watch-context.ts";

let root: string;
let watcher: ContextWatcher | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  createTree(root, [
    { path: "Dockerfile", sizeBytes: 3 },
    { path: "src/" },
    { path: "src/a", sizeBytes: 3 },
    { path: "src/b", sizeBytes: 3 },
    { path: "node_modules/" },
    { path: "node_modules/p", sizeBytes: 3 },
  ]);
  writeFileSync(join(root, ".dockerignore"), "node_modules\n*.log\nDockerfile\n");
});
afterEach(async () => {
  await watcher?.close();
  rmSync(root, { recursive: true });
});

const soonMs = 5000;

/** What is told next; with nothing to tell the test fails after a while. */
async function next(changes: AsyncIterator<ContextChange>): Promise<ContextChange> {
  const late = new Promise<never>((_resolve, reject) =>
    setTimeout(() => reject(new Error("nothing was told")), soonMs).unref(),
  );
  const result = await Promise.race([changes.next(), late]);
  if (result.done === true) throw new Error("the watch has ended");
  return result.value;
}

function start(options: WatchOptions = {}): AsyncIterator<ContextChange> {
  watcher = watchContext(root, { debounceMs: 30, ...options });
  return watcher[Symbol.asyncIterator]();
}

function change(script: string): void {
  execFileSync("sh", ["-c", script], { cwd: root });
}

describe("watchContext", () => {
  test.each([
    ["a change", "echo x >>src/a", ["src/a"], []],
    ["a new file", "echo x >src/c", ["src/c"], []],
    ["a deletion", "rm src/a", [], ["src/a"]],
    ["a new name", "mv src/a src/c", ["src/c"], ["src/a"]],
    ["a mode", "chmod 755 src/a", ["src/a"], []],
    ["a new folder with what is in it", "mkdir -p d/e; echo x >d/e/f", ["d", "d/e", "d/e/f"], []],
    ["the Dockerfile, though it is ignored", "echo x >>Dockerfile", ["Dockerfile"], []],
    ["a file that is replaced by a rename, as editors do", "echo x >.tmp; mv .tmp src/a", ["src/a"], []],
  ])("tells of %s", async (_what, script, changed, removed) => {
    const changes = start();
    change(script);
    expect(await next(changes)).toEqual({ changed, removed });
  });

  test.each(["docker/Dockerfile", "./docker/Dockerfile"])(
    "tells of %s in a folder that is ignored",
    async (dockerfile) => {
      change("mkdir docker; echo x >docker/Dockerfile; echo docker >.dockerignore");
      const changes = start({ dockerfile });
      change("echo x >>docker/Dockerfile; echo x >docker/other");
      expect(await next(changes)).toEqual({ changed: ["docker/Dockerfile"], removed: [] });
      change("rm -r docker");
      expect(await next(changes)).toEqual({ changed: [], removed: ["docker/Dockerfile"] });
      change("mkdir docker; echo x >docker/Dockerfile");
      expect(await next(changes)).toEqual({ changed: ["docker/Dockerfile"], removed: [] });
    },
  );

  test("tells of a Dockerfile by its other name, and goes by the ignore file of that", async () => {
    const changes = start();
    change("mv Dockerfile dockerfile; printf 'src/b\\n*ockerfile*\\n' >dockerfile.dockerignore");
    const { changed, removed } = await next(changes);
    expect(changed).toEqual(["dockerfile", "dockerfile.dockerignore", "node_modules", "node_modules/p"]);
    expect(removed).toEqual(["Dockerfile", "src/b"]);
    change("echo x >>src/b; echo x >>dockerfile");
    expect(await next(changes)).toEqual({ changed: ["dockerfile"], removed: [] });
  });

  test("says nothing of what is ignored", async () => {
    const changes = start();
    change("echo x >>node_modules/p; echo x >debug.log; touch node_modules; mkdir node_modules/q");
    const told = next(changes);
    change("echo x >>src/b");
    expect(await told).toEqual({ changed: ["src/b"], removed: [] });
  });

  test("goes by the ignore file as it is now", async () => {
    const changes = start();
    change("echo src >.dockerignore");
    const { changed, removed } = await next(changes);
    expect(changed).toEqual([".dockerignore", "node_modules", "node_modules/p"]);
    expect(removed).toEqual(["src", "src/a", "src/b"]);
    change("echo x >>src/a; echo x >>node_modules/p");
    expect(await next(changes)).toEqual({ changed: ["node_modules/p"], removed: [] });
  });

  test("follows folders that come, go and come again", async () => {
    const changes = start();
    change("mkdir new; echo x >new/a");
    expect((await next(changes)).changed).toEqual(["new", "new/a"]);
    change("echo x >>new/a");
    expect((await next(changes)).changed).toEqual(["new/a"]);
    change("rm -r new");
    expect((await next(changes)).removed).toEqual(["new", "new/a"]);
    change("mkdir new; echo x >new/b");
    expect((await next(changes)).changed).toEqual(["new", "new/b"]);
    change("echo x >>new/b");
    expect((await next(changes)).changed).toEqual(["new/b"]);
  });

  test("gathers what happens at once, and while nobody asks", async () => {
    const changes = start();
    for (let index = 0; index < 20; index += 1) writeFileSync(join(root, "src", `new-${index}`), "x");
    expect((await next(changes)).changed).toHaveLength(20);
    change("echo x >>src/a");
    change("echo x >>src/b");
    expect((await next(changes)).changed).toEqual(["src/a", "src/b"]);
  });

  test("tells in time though changes go on", async () => {
    const changes = start({ debounceMs: 200, maxWaitMs: 400 });
    const writing = setInterval(() => writeFileSync(join(root, "src/a"), String(performance.now())), 20);
    try {
      expect((await next(changes)).changed).toEqual(["src/a"]);
    } finally {
      clearInterval(writing);
    }
  });

  test("tells of changes since it was called, not since it was asked", async () => {
    watcher = watchContext(root, { debounceMs: 30 });
    mkdirSync(join(root, "early"));
    expect((await next(watcher[Symbol.asyncIterator]())).changed).toEqual(["early"]);
  });

  test("ends when it is closed, and fails when it is aborted", async () => {
    const closed = start();
    const told = closed.next();
    await watcher?.close();
    expect(await told).toEqual({ value: undefined, done: true });
    const controller = new AbortController();
    const aborted = start({ signal: controller.signal }).next();
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
  });
});
