import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { abandonScript, idleScript, mountedSuffix } from "./workspace-scripts.ts";

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

function run(script: string, ...argv: readonly string[]): void {
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"] ?? ""}` };
  execFileSync("sh", ["-c", script, workspace, ...argv], { env, timeout: 20_000 });
}

/** Tidies up, as each sync does at its end. */
const tidy = (): void => run(abandonScript, "sync", "60");

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
