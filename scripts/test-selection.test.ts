import { describe, expect, it } from "vitest";

import { parseTestArguments, titlePattern } from "./test-selection.ts";

describe("titlePattern", () => {
  it.each([
    ["EXEC", "EXEC: sends", true],
    ["EXEC", "EXEC-CUT: sends", false],
    ["EXEC", "a test about EXEC: sends", false],
    ["CONFORMANCE", "suite > CONFORMANCE: passes", true],
    ["a.c", "abc: no wildcard", false],
  ])("%s on %j is %s", (id, title, expected) => {
    expect(new RegExp(titlePattern(id)).test(title)).toBe(expected);
  });
});

describe("parseTestArguments", () => {
  it("takes an id and files", () => {
    expect(parseTestArguments(["-t", "QUEUE", "packages/core"])).toEqual({ id: "QUEUE", files: ["packages/core"] });
  });

  it.each([[["-t"]], [["--watch"]]])("refuses %j", (argv) => {
    expect(() => parseTestArguments(argv)).toThrow(/npm test --/);
  });
});
