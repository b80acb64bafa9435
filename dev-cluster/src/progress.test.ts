import { describe, expect, it } from "vitest";

import { ClusterFailure, describeFailure } from "./failure.ts";
import { createProgress } from "./progress.ts";

describe("a progress", () => {
  it("prints each step at its start and with its duration at its end", async () => {
    const lines: string[] = [];
    let time = 0;
    const progress = createProgress(
      (line) => lines.push(line),
      () => time,
    );
    const result = await progress.step("work", () => {
      time += 1500;
      return Promise.resolve(7);
    });
    expect(result).toBe(7);
    expect(lines).toEqual(["   0.0s > work", "   1.5s + work (1.5 s)"]);
  });

  it("names the innermost failed step, and keeps log and remedy", async () => {
    const progress = createProgress(() => undefined);
    const known = new ClusterFailure("known", { remedy: "Do it.", logFile: "/log" });
    const failing = progress.step("all", () => progress.step("work", () => Promise.reject(known)));
    const failure: unknown = await failing.catch((error: unknown) => error);
    expect(describeFailure(failure)).toBe('Step "work" failed: known\n  log:    /log\n  remedy: Do it.');
    const other = progress.step("work", () => Promise.reject(new Error("bad luck")));
    await expect(other).rejects.toThrow('Step "work" failed: bad luck');
  });
});
