import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { OptionBuilds } from "./options/option-builds.ts";
import { allRows, optionPage } from "./options/option-page.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const builds = new OptionBuilds(kaniko);
const outcomes = new Map<string, boolean>();
const rows = allRows.map((row) => [row.id, row.shows, row] as const);

describe("options", () => {
  beforeAll(() => builds.prepare());

  test.each(rows)("%s: %s", async (id, _shows, { check }) => {
    outcomes.set(id, false);
    await check(builds);
    outcomes.set(id, true);
  });

  test("OPT-*: docs/matrix/kaniko-options.md says what this run has seen", async () => {
    await expect(optionPage(outcomes)).toMatchFileSnapshot("../../docs/matrix/kaniko-options.md");
  });
});
