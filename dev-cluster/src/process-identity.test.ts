import { spawn } from "node:child_process";
import { once } from "node:events";

import { describe, expect, it } from "vitest";

import { identifyProcess, isAlive, killProcess, parseProcessStat } from "./process-identity.ts";

describe("parseProcessStat", () => {
  it("is not misled by blanks and brackets in the program's name", () => {
    const rest = ["S", "7", ...Array.from({ length: 17 }, () => "0"), "4711", "0"].join(" ");
    expect(parseProcessStat(`12 (a) b (c)) ${rest}`)).toEqual({ state: "S", parentPid: 7, startTicks: "4711" });
  });
});

describe.runIf(process.platform === "linux")("isAlive", () => {
  it("tells a process from another one with the same id", () => {
    const identity = identifyProcess(process.pid);
    if (!identity) throw new Error("this process is not there");
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTicks: "1" })).toBe(false);
  });

  it("ends with the process, which only its own identity can kill", async () => {
    const child = spawn("sleep", ["60"]);
    await once(child, "spawn");
    const identity = identifyProcess(child.pid ?? 0);
    if (!identity) throw new Error("sleep is not there");
    killProcess({ ...identity, startTicks: "1" });
    expect(isAlive(identity)).toBe(true);
    killProcess(identity);
    await once(child, "exit");
    expect(isAlive(identity)).toBe(false);
  });
});
