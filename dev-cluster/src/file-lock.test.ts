import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { lockFile, withLock } from "./file-lock.ts";

describe.runIf(process.platform === "linux")("lockFile", () => {
  let folder = "";
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-lock-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("lets one holder at a time in", async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
    };
    await Promise.all(Array.from({ length: 5 }, () => withLock(join(folder, "lock"), work)));
    expect(most).toBe(1);
  });

  it("is free again when its holder is killed", async () => {
    const file = join(folder, "lock");
    const script = `import { lockFile } from ${JSON.stringify(join(import.meta.dirname, "file-lock.ts"))};
      await lockFile(${JSON.stringify(file)}); console.log("held"); setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module-typescript", "-e", script]);
    await once(holder.stdout, "data");
    let isFree = false;
    const waiting = lockFile(file).then((lock) => {
      isFree = true;
      return lock;
    });
    expect(isFree).toBe(false);
    holder.kill("SIGKILL");
    await (await waiting).release();
  });
});
