import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import type { BenchCase } from "../bench-case.ts";
import { createContextFolder } from "../context-folder.ts";

const files = 20_000;
const scans = 50;
/** Patterns as projects have them; none matches, so that both sides see the same files. */
const exclude = [".git", "**/node_modules", "**/*.log", "dist", "!dist/keep"];

/** Scans of a context that is in the page cache, in one process: what a build and a watcher do, without the start of a program. */
export const scan: BenchCase = {
  name: "scan",
  description: `${scans} warm scans of ${files} files with ${exclude.length} patterns`,
  peer: "C program that calls lstat",
  goal: 2,
  rounds: 9,
  prepare: async () => {
    await using stack = new AsyncDisposableStack();
    const context = stack.use(await createContextFolder("scratch", files, 100));
    const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const walk = join(folder, "lstat-walk");
    const programs = resolve(import.meta.dirname, "../programs");
    await promisify(execFile)("gcc", ["-O2", "-o", walk, join(programs, "lstat-walk.c")]);
    const owned = stack.move();
    return {
      ours: {
        argv: [process.execPath, join(programs, "slipway-scan.mjs")],
        env: { SLIPWAY_BENCH: JSON.stringify({ folder: context.path, exclude, scans }) },
      },
      peer: { argv: [walk, context.path, String(scans)] },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};
