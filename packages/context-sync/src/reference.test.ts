import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { askGoReference, buildGoReference } from "./reference/go-reference.ts";
import { createRandomSource } from "./reference/random-source.ts";
import type { ReferenceAnswers } from "./reference/reference-answers.ts";
import { answerCases } from "./reference/reference-answers.ts";
import type { ReferenceCases } from "./reference/reference-cases.ts";
import { createReferenceCases } from "./reference/reference-cases.ts";
import { createTree } from "./reference/reference-tree.ts";

// `record` writes the fixture anew, `live` asks the Go reference about cases of a new seed; both need Go and its modules.
const mode = process.env["SLIPWAY_GO_REFERENCE"];
const fixturePath = fileURLToPath(new URL("__fixtures__/go-reference.json", import.meta.url));
const minuteMs = 60_000;

interface Fixture {
  readonly producedBy: string;
  readonly cases: ReferenceCases;
  readonly answers: ReferenceAnswers;
}

vi.setConfig({ testTimeout: minuteMs, hookTimeout: minuteMs });

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

const kinds = ["ignoreFiles", "names", "patterns", "follows", "scans"] as const;

/** What was asked where two sources disagree, with both answers. */
function differences(
  cases: ReferenceCases,
  ours: ReferenceAnswers,
  theirs: ReferenceAnswers,
  of = kinds as readonly Kind[],
): object[] {
  return of.flatMap((kind) =>
    cases[kind]
      .map((asked, index) => ({ kind, asked, ours: ours[kind][index], theirs: theirs[kind][index] }))
      .filter((answer) => !isDeepStrictEqual(answer.ours, answer.theirs)),
  );
}

type Kind = (typeof kinds)[number];

if (mode === "record")
  test("records the answers of the Go reference", { timeout: 5 * minuteMs }, async () => {
    const below = join(directory, "record");
    const seed = 20_260_819;
    const cases = createReferenceCases(createRandomSource(seed), 250);
    createTrees(cases, below);
    const producedBy = `go-reference/main.go: moby/patternmatcher and tonistiigi/fsutil at the versions of its go.mod; seed ${seed}`;
    const fixture: Fixture = { producedBy, cases, answers: askGoReference(await buildGoReference(), cases, below) };
    writeFileSync(fixturePath, `${JSON.stringify(fixture)}\n`);
  });

describe("the recorded answers of moby/patternmatcher and fsutil", () => {
  const fixture = JSON.parse(readFileSync(fixturePath, "utf8")) as Fixture;

  test.each(kinds)("are ours as well: %s", (kind) => {
    const below = join(directory, kind);
    createTrees(fixture.cases, below);
    expect(fixture.cases[kind].length).toBeGreaterThan(10);
    expect(fixture.answers[kind]).toHaveLength(fixture.cases[kind].length);
    expect(differences(fixture.cases, answerCases(fixture.cases, below), fixture.answers, [kind])).toEqual([]);
  });
});

if (mode === "live")
  test("the live Go reference agrees about cases of a new seed", { timeout: 5 * minuteMs }, async () => {
    const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 2 ** 31);
    console.log(`SLIPWAY_SEED=${seed}`);
    const below = join(directory, "live");
    const cases = createReferenceCases(createRandomSource(seed), 1000);
    createTrees(cases, below);
    expect(
      differences(cases, answerCases(cases, below), askGoReference(await buildGoReference(), cases, below)),
    ).toEqual([]);
  });
