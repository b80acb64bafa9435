import { requiredFeatures } from "@slipway/core";
import { describe, expect, it } from "vitest";

import { buildRows } from "../e2e/kaniko/options/build-rows.ts";
import { driverRows, nestedRows } from "../e2e/kaniko/options/driver-rows.ts";
import { allRows, optionPage } from "../e2e/kaniko/options/option-page.ts";
import { knownKeys } from "../packages/core/src/known-keys.ts";
import { kanikoDriverOptionsSchema } from "../packages/kaniko-driver/src/kaniko-options.ts";
import { readRepositoryFile } from "./doc-files.ts";

/** Options that are objects, with a way to their keys. */
const nested: Readonly<Record<string, readonly (string | number)[]>> = {
  cache: ["cache"],
  registries: ["registries", "registry.example.com"],
  images: ["images"],
  workspace: ["workspace"],
  executor: ["executor"],
  additionalMounts: ["additionalMounts", 0],
  resources: ["resources"],
};

describe("docs/matrix/kaniko-options.md", () => {
  it("has a test for each key of the driver's options", () => {
    expect(Object.keys(driverRows).sort()).toEqual(Object.keys(kanikoDriverOptionsSchema.shape).sort());
  });

  it.each(Object.entries(nested))("has a test for each key of %s", (option, path) => {
    const keys = knownKeys(kanikoDriverOptionsSchema, path, {}).map((key) => `${option}.${key}`);
    expect(keys.length).toBeGreaterThan(1);
    expect(
      Object.keys(nestedRows)
        .filter((name) => name.startsWith(`${option}.`))
        .sort(),
    ).toEqual(keys.sort());
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
