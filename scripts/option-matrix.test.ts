import { requiredFeatures } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { buildRows } from "../e2e/kaniko/options/build-rows.ts";
import { driverRows, nestedRows } from "../e2e/kaniko/options/driver-rows.ts";
import { allRows, optionPage } from "../e2e/kaniko/options/option-page.ts";
import { devspaceOptions, gardenOptions } from "../e2e/kaniko/options/peer-options.ts";
import { devspaceRows, gardenRows } from "../e2e/kaniko/options/peer-rows.ts";
import { knownKeys } from "../packages/core/src/known-keys.ts";
import { kanikoDriverOptionsSchema } from "../packages/kaniko-driver/src/kaniko-options.ts";
import { readRepositoryFile } from "./doc-files.ts";

/** The names of all options below a path, with the keys of objects, of elements and of values. */
function optionsBelow(path: readonly (string | number)[], prefix: string): readonly string[] {
  return knownKeys(kanikoDriverOptionsSchema, path, {}).flatMap((key) => [
    `${prefix}${key}`,
    ...optionsBelow([...path, key], `${prefix}${key}.`),
    ...optionsBelow([...path, key, 0], `${prefix}${key}.`),
  ]);
}

describe("docs/matrix/kaniko-options.md", () => {
  it("has a test for each option of the driver, and for each key of those that have keys", () => {
    const options = optionsBelow([], "");
    expect(options).toContain("additionalMounts.configMap.items.mode");
    expect([...Object.keys(driverRows), ...Object.keys(nestedRows)].sort()).toEqual(options.toSorted());
  });

  it.each([
    ["DevSpace", devspaceRows, devspaceOptions],
    ["Garden", gardenRows, gardenOptions],
  ])("has a test for each option of %s", (_name, rows, options) => {
    expect(Object.keys(rows).sort()).toEqual(options.toSorted());
  });

  it("has a test for each key of a build's options", () => {
    expect(Object.keys(buildRows).sort()).toEqual(Object.keys(requiredFeatures).sort());
  });

  it("is written from a run in which every test has passed", () => {
    const passed = new Map(allRows.map(({ id }) => [id, true]));
    expect(readRepositoryFile("docs/matrix/kaniko-options.md")).toBe(optionPage(passed));
  });

  it("has each test once", () => {
    expect(new Set(allRows.map(({ id }) => id)).size).toBe(allRows.length);
  });
});
