import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { askGoReference } from "./reference/go-reference.ts";
import { createRandomSource } from "./reference/random-source.ts";
import type { ReferenceAnswers } from "./reference/reference-answers.ts";
import { answerCases } from "./reference/reference-answers.ts";
import type { ReferenceCases } from "./reference/reference-cases.ts";
import { createReferenceCases } from "./reference/reference-cases.ts";
import { createTree } from "./reference/reference-tree.ts";

// `record` writes the fixture anew, `1` asks the Go reference about cases of a new seed; both need Go and its modules.
const mode = process.env["SLIPWAY_GO_REFERENCE"];
const fixturePath = fileURLToPath(new URL("__fixtures__/go-reference.json", import.meta.url));
const minuteMs = 60_000;

interface Fixture {
  readonly producedBy: string;
  readonly cases: ReferenceCases;
  readonly answers: ReferenceAnswers;
}

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "slipway-reference-"));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function createTrees(cases: ReferenceCases, below: string): void {
  for (const [name, entries] of Object.entries(cases.trees)) {
    mkdirSync(join(below, name), { recursive: true });
    createTree(join(below, name), entries);
  }
}

/** Each question beside its answer, so that a difference shows what was asked. */
function paired(cases: ReferenceCases, answers: ReferenceAnswers): Record<string, unknown[]> {
  const kinds = ["ignoreFiles", "names", "patterns", "follows", "scans"] as const;
  return Object.fromEntries(kinds.map((kind) => [kind, cases[kind].map((asked, index) => ({ asked, answer: answers[kind][index] }))]));
}

if (mode === "record") test("records the answers of the Go reference", { timeout: 5 * minuteMs }, () => {
  const below = join(directory, "record");
  const seed = 20_260_819;
  const cases = createReferenceCases(createRandomSource(seed), 250);
  createTrees(cases, below);
  const producedBy = `go-reference/main.go: moby/patternmatcher and tonistiigi/fsutil at the versions of its go.mod; seed ${seed}`;
  const fixture: Fixture = { producedBy, cases, answers: askGoReference(cases, below) };
  writeFileSync(fixturePath, `${JSON.stringify(fixture)}\n`);
});

describe("the recorded answers of moby/patternmatcher and fsutil", () => {
  const fixture = JSON.parse(readFileSync(fixturePath, "utf8")) as Fixture;

  test.each(["ignoreFiles", "names", "patterns", "follows", "scans"] as const)("are ours as well: %s", (kind) => {
    const below = join(directory, kind);
    createTrees(fixture.cases, below);
    const ours = paired(fixture.cases, answerCases(fixture.cases, below))[kind];
    expect(fixture.cases[kind].length).toBeGreaterThan(10);
    expect(ours).toEqual(paired(fixture.cases, fixture.answers)[kind]);
  });
});

if (mode === "1") test("the live Go reference agrees about cases of a new seed", { timeout: 5 * minuteMs }, () => {
  const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 2 ** 31);
  console.log(`SLIPWAY_SEED=${seed}`);
  const below = join(directory, "live");
  const cases = createReferenceCases(createRandomSource(seed), 1000);
  createTrees(cases, below);
  expect(paired(cases, answerCases(cases, below))).toEqual(paired(cases, askGoReference(cases, below)));
});
