import { describe, expect, it } from "vitest";

import { ClusterFailure } from "./failure.ts";
import { runCommand } from "./run-command.ts";

describe.runIf(process.platform === "linux")("runCommand", () => {
  it("returns standard output", async () => {
    expect(await runCommand(["sh", "-c", "echo out; echo err >&2"])).toBe("out\n");
  });

  it("fails with the end of the output and the remedy", async () => {
    const failing = runCommand(["sh", "-c", "echo no such thing >&2; exit 3"], { remedy: "Do it." });
    await expect(failing).rejects.toThrow(/ended with 3:\nno such thing/);
    await expect(failing).rejects.toMatchObject({ remedy: "Do it." });
    await expect(failing).rejects.toBeInstanceOf(ClusterFailure);
  });

  it("feeds a stream, also to a command that ends before it", async () => {
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let chunk = 0; chunk < 64; chunk++) yield await Promise.resolve(Buffer.alloc(1 << 16, "x"));
    }
    expect((await runCommand(["wc", "-c"], { input: chunks() })).trim()).toBe(String(64 << 16));
    await expect(runCommand(["sh", "-c", "exit 4"], { input: chunks() })).rejects.toThrow(/ended with 4/);
  });
});
