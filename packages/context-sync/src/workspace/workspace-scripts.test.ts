import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { abandonScript } from "./workspace-scripts.ts";

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

/** Tidies up, as each sync does at its end. */
function tidy(): void {
  const env = { ...process.env, PATH: `${programs}:${process.env["PATH"] ?? ""}` };
  execFileSync("sh", ["-c", abandonScript, workspace, "sync", "60"], { env });
}

const isThere = (): boolean => existsSync(join(workspace, "versions/old/context"));

test("a version that nobody uses is deleted", () => {
  writeFileSync(join(workspace, "versions/old/leases/ended"), "1\n");
  tidy();
  expect(isThere()).toBe(false);
});

test("a version that is leased, or the newest of its context, stays", () => {
  writeFileSync(join(workspace, "versions/old/leases/running"), "99999999999\n");
  tidy();
  expect(isThere()).toBe(true);
  rmSync(join(workspace, "versions/old/leases/running"));
  writeFileSync(join(workspace, "contexts/one"), "old\n");
  tidy();
  expect(isThere()).toBe(true);
});

test("a version that is leased just before it would go stays", () => {
  const lease = 'case "$1" in versions/*) echo 99999999999 >"$1/leases/late" ;; esac';
  writeFileSync(join(programs, "mv"), `#!/bin/sh\n${lease}\nexec /bin/mv "$@"\n`);
  chmodSync(join(programs, "mv"), 0o755);
  tidy();
  expect(isThere()).toBe(true);
});
