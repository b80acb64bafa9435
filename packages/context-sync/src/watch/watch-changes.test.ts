import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { dockerignoreNames, readDockerignore } from "../read-dockerignore.ts";
import { createRandomSource, type RandomSource } from "../reference/random-source.ts";
import { scanContext } from "../scan-context.ts";
import { fileType } from "../scan-entry.ts";
import { stateOf, stateOfFile } from "./context-snapshot.ts";
import { ContextTree } from "./context-tree.ts";
import { watchContext, type ContextChange, type ContextWatcher } from "./watch-context.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "slipway-watch-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const files = ["Dockerfile", ...dockerignoreNames("Dockerfile")];

/** What a scan finds, in its order; what a build reads in any case comes first. */
function scanned(): ReadonlyMap<string, string> {
  const states = new Map<string, string>();
  for (const path of files) {
    const state = stateOfFile(root, path);
    if (state !== undefined) states.set(path, state);
  }
  for (const entry of scanContext(root, { exclude: readDockerignore(root, files.slice(1)) }))
    if (!states.has(entry.path))
      states.set(entry.path, stateOf(entry, (entry.mode & fileType.mask) === fileType.directory));
  return states;
}

/** Every path below the root, in any order. */
function paths(only: "folders" | "others"): readonly string[] {
  const found = readdirSync(root, { recursive: true, withFileTypes: true });
  return found
    .filter((entry) => entry.isDirectory() === (only === "folders"))
    .map((entry) => join(entry.parentPath, entry.name));
}

const names = ["a", "b", "c", "a.b", "src", "x", "é", "\u{1f600}", "\ufb01"] as const;
const ignoreFiles = ["", "x\n", "*\n!src\n", "*\n!**/a\n", "**/b\n!a/b\n", "src/**\n!src/x/c\n"] as const;

/** Something that a user or a program does in a folder; what is gentle leaves folders where they are. */
function change(random: RandomSource, isGentle = false): void {
  const folder = random.pick([root, ...paths("folders")]);
  const target = join(folder, random.pick(names));
  const others = [join(root, "Dockerfile"), ...paths("others")];
  const [file, other] = [random.pick(others), random.pick(isGentle ? others : [...paths("folders"), ...others])];
  const actions = [
    () => writeFileSync(target, random.pick(names)),
    () => appendFileSync(file, "more"),
    () => appendFileSync(file, "more"),
    () => chmodSync(other, random.pick([0o755, 0o700])),
    () => mkdirSync(join(target, random.pick(names)), { recursive: true }),
    () => rmSync(other, { recursive: true }),
    () => renameSync(other, target),
    () => renameSync(other, target),
    () => symlinkSync(random.pick(names), target),
    // Another folder in the place of one, which often has its number too.
    () => {
      if (folder === root || isGentle) return;
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      writeFileSync(target, "new");
    },
    () => {
      if (!isGentle) writeFileSync(join(root, ".dockerignore"), random.pick(ignoreFiles));
    },
  ];
  try {
    random.pick(actions)();
  } catch {
    // Not everything can be done everywhere: a folder cannot be moved below itself.
  }
}

/** What is told next. */
function nextOf(watcher: ContextWatcher): () => Promise<ContextChange> {
  const told = watcher[Symbol.asyncIterator]();
  return async () => (await told.next()).value as ContextChange;
}

test("tells exactly what a new scan finds, whatever happens", async () => {
  const seed = Number(process.env["SLIPWAY_SEED"] ?? 20_251);
  const random = createRandomSource(seed);
  writeFileSync(join(root, "Dockerfile"), "");
  for (let index = 0; index < 60; index += 1) change(random);
  let before = scanned();
  await using watcher = watchContext(root, { debounceMs: 2 });
  const next = nextOf(watcher);
  for (let round = 0; round < 200; round += 1) {
    for (let left = 1 + random.below(4); left > 0; left -= 1) change(random, round % 10 > 0);
    appendFileSync(join(root, "Dockerfile"), "#");
    const now = scanned();
    const told = await next();
    expect(told, `seed ${seed}, round ${round}`).toEqual({
      changed: [...now].filter(([path, state]) => before.get(path) !== state).map(([path]) => path),
      removed: [...before.keys()].filter((path) => !now.has(path)),
    });
    before = now;
  }
}, 30_000);

test("tells of a file with several names by all of them", async () => {
  for (const folder of ["a", "b"]) mkdirSync(join(root, folder));
  writeFileSync(join(root, "a/one"), "x");
  await using watcher = watchContext(root, { debounceMs: 2 });
  const next = nextOf(watcher);
  linkSync(join(root, "a/one"), join(root, "b/two"));
  expect(await next()).toEqual({ changed: ["a/one", "b/two"], removed: [] });
  appendFileSync(join(root, "b/two"), "more");
  expect(await next()).toEqual({ changed: ["a/one", "b/two"], removed: [] });
  rmSync(join(root, "b/two"));
  expect(await next()).toEqual({ changed: ["a/one"], removed: ["b/two"] });
});

test("reads only folders in which something has happened", () => {
  for (const folder of ["quiet", "busy"]) mkdirSync(join(root, folder));
  const tree = new ContextTree(root, {}, () => undefined);
  for (const folder of ["quiet", "busy"]) writeFileSync(join(root, folder, "file"), "x");
  expect(tree.reread([join(root, "busy")])).toEqual({ changed: ["busy/file"], removed: [] });
  expect(tree.reread([join(root, "busy")])).toEqual({ changed: [], removed: [] });
  expect(tree.reread([join(root, "quiet")])).toEqual({ changed: ["quiet/file"], removed: [] });
});

test("reads a folder that was made anew, or only leads to something, where it is not told of itself", () => {
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/b/old"), "x");
  const tree = new ContextTree(root, { exclude: ["*", "!a/b/c", "!a/b/old"] }, () => undefined);
  rmSync(join(root, "a"), { recursive: true });
  mkdirSync(join(root, "a/b"), { recursive: true });
  writeFileSync(join(root, "a/b/c"), "x");
  expect(tree.reread([root])).toEqual({ changed: ["a/b/c"], removed: ["a/b/old"] });
  rmSync(join(root, "a/b/c"));
  expect(tree.reread([join(root, "a/b")])).toEqual({ changed: [], removed: ["a", "a/b", "a/b/c"] });
  writeFileSync(join(root, "a/b/c"), "x");
  expect(tree.reread([join(root, "a/b")])).toEqual({ changed: ["a", "a/b", "a/b/c"], removed: [] });
});

test("finds what nobody tells of when it is quiet", async () => {
  mkdirSync(join(root, "src"));
  writeFileSync(join(root, "src/file"), "x");
  await using watcher = watchContext(root, { debounceMs: 2, pollMs: 100 });
  const next = nextOf(watcher);
  writeFileSync(join(root, "other"), "x");
  expect(await next()).toMatchObject({ changed: ["other"] });
  // A second name outside is no event in the folder of the first.
  const outside = mkdtempSync(join(tmpdir(), "slipway-watch-"));
  try {
    linkSync(join(root, "src/file"), join(outside, "twin"));
    appendFileSync(join(outside, "twin"), "more");
    expect(await next()).toMatchObject({ changed: ["src/file"] });
  } finally {
    rmSync(outside, { recursive: true });
  }
});
