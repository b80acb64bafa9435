import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import {
  abandonScript,
  commitScript,
  idleScript,
  mountedSuffix,
  receiveScript,
  unusedScript,
} from "./workspace-scripts.ts";

let workspace: string;
let programs: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-scripts-"));
  [workspace, programs] = [join(folder, "workspace"), join(folder, "programs")];
  for (const path of ["versions/old/context", "versions/old/leases", "contexts", "incoming", "trash"])
    mkdirSync(join(workspace, path), { recursive: true });
  mkdirSync(programs);
});
afterEach(() => rmSync(join(workspace, ".."), { recursive: true }));

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${programs}:${process.env["PATH"] ?? ""}` });

function run(script: string, ...argv: readonly string[]): string {
  const options = { env: environment(), timeout: 20_000, encoding: "utf8" } as const;
  return execFileSync("sh", ["-c", script, workspace, ...argv], options).trim();
}

/** Tidies up, as each sync does at its end. */
const tidy = (): string => run(abandonScript, "sync", "60");

/** Puts a program in the place of another one. */
function replace(program: string, ...lines: readonly string[]): void {
  writeFileSync(join(programs, program), ["#!/bin/sh", ...lines, ""].join("\n"));
  chmodSync(join(programs, program), 0o755);
}

const isThere = (): boolean => existsSync(join(workspace, "versions/old/context"));

test("a version that nobody uses is deleted", () => {
  writeFileSync(join(workspace, "versions/old/leases/ended"), "1\n");
  tidy();
  expect(isThere()).toBe(false);
});

test.each(["running", `running${mountedSuffix}`])("a version with a lease %s stays", (lease) => {
  writeFileSync(join(workspace, "versions/old/leases", lease), "99999999999\n");
  tidy();
  expect(isThere()).toBe(true);
});

test("the newest version of a context stays", () => {
  writeFileSync(join(workspace, "contexts/one"), "old\n");
  tidy();
  expect(isThere()).toBe(true);
});

test("a version that is leased just before it would go stays", () => {
  const lease = 'case "$1" in versions/*) echo 99999999999 >"$1/leases/late" ;; esac';
  replace("mv", lease, 'exec /bin/mv "$@"');
  tidy();
  expect(isThere()).toBe(true);
});

/** How often the pod looks until it ends, when nobody has synced for long enough and its leases are gone at the third look. */
function looks(lease: string): number {
  const path = join(workspace, "versions/old/leases", lease);
  const log = join(programs, "looks");
  rmSync(log, { force: true });
  writeFileSync(path, "99999999999\n");
  replace("sleep", `echo x >>"${log}"`, `[ $(wc -l <"${log}") -lt 3 ] || rm -f "${path}"`);
  run(idleScript, "0");
  return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
}

test("a lease keeps the workspace, but not one of a version that is mounted", () => {
  expect(looks("running")).toBe(3);
  expect(looks(`running${mountedSuffix}`)).toBe(0);
});

/** What `prune` is told of a workspace that somebody else has used 100 seconds ago, where who says nothing for 30 seconds is gone. */
function unused(lease: string, takenSecondsAgo: number): string {
  const path = join(workspace, "versions/old/leases", lease);
  const [usedAt, takenAt] = [100, takenSecondsAgo].map((seconds) => Date.now() / 1000 - seconds) as [number, number];
  writeFileSync(path, "99999999999\n");
  utimesSync(path, takenAt, takenAt);
  writeFileSync(join(workspace, "used"), "");
  utimesSync(join(workspace, "used"), usedAt, usedAt);
  return run(unusedScript, "30");
}

test("a lease that does not keep the workspace is use for as long as its owner says that he is there", () => {
  const seconds = expect.stringMatching(/^10\d$/) as string;
  expect(unused(`running${mountedSuffix}`, 10)).toBe("leased");
  expect(unused(`running${mountedSuffix}`, 50)).toEqual(seconds);
  expect(unused("running", 50)).toBe("leased");
  writeFileSync(join(workspace, "versions/old/leases/running"), "1\n");
  expect(unused(`running${mountedSuffix}`, 50)).toEqual(seconds);
});

/** Whether somebody has used the workspace again since it was last used long ago. */
async function isUsedAgain(): Promise<void> {
  const used = join(workspace, "used");
  await expect.poll(() => existsSync(used)).toBe(true);
  utimesSync(used, 1, 1);
  await expect.poll(() => statSync(used).mtimeMs, { timeout: 10_000 }).toBeGreaterThan(1000);
}

test("an upload keeps the workspace for as long as it lasts, and no longer", async () => {
  replace("sleep", "exec /bin/sleep 0.05");
  const upload = spawn("sh", ["-c", receiveScript, workspace, "sync", "-xpf"], { env: environment() });
  const ended = once(upload, "exit");
  await isUsedAgain();
  upload.stdin.end();
  await ended;
  run(idleScript, "1");
});

test("a commit keeps the workspace for as long as it lasts", async () => {
  mkdirSync(join(workspace, "incoming/sync/meta"), { recursive: true });
  writeFileSync(join(workspace, "incoming/sync/meta/sums"), "sums");
  writeFileSync(join(workspace, "incoming/sync/meta/entries"), "entries");
  const checked = join(programs, "checked");
  replace("sha256sum", `until [ -e "${checked}" ]; do sleep 0.05; done`);
  const argv = ["sync", "context", "-", "new", "lease", "60", "60"];
  const commit = spawn("sh", ["-c", commitScript, workspace, ...argv], { env: environment() });
  const ended = once(commit, "exit");
  await isUsedAgain();
  writeFileSync(checked, "");
  expect(await ended).toEqual([0, null]);
  expect(existsSync(join(workspace, "versions/new/context"))).toBe(true);
});
