import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { hashFolder, hashInputs } from "./content-hash.ts";

describe("hashInputs", () => {
  it("does not depend on the order of names, but on every name and value", () => {
    const hash = hashInputs({ a: "1", b: ["2", "3"] });
    expect(hashInputs({ b: ["2", "3"], a: "1" })).toBe(hash);
    const others = [{ a: "1", b: ["23"] }, { a: "1", b: ["3", "2"] }, { a: "1" }, { a: "1", c: ["2", "3"] }];
    expect(new Set([hash, ...others.map((inputs) => hashInputs(inputs as Record<string, string>))]).size).toBe(5);
  });
});

describe("hashFolder", () => {
  let folder = "";
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-hash-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("changes with a file's name, folder or contents, and with nothing else", () => {
    writeFileSync(join(folder, "a"), "text");
    const hash = hashFolder(folder);
    writeFileSync(join(folder, "a"), "text");
    expect(hashFolder(folder)).toBe(hash);
    writeFileSync(join(folder, "a"), "Text");
    const changed = hashFolder(folder);
    rmSync(join(folder, "a"));
    mkdirSync(join(folder, "b"));
    writeFileSync(join(folder, "b", "a"), "text");
    expect(new Set([hash, changed, hashFolder(folder)]).size).toBe(3);
  });
});
