import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { parseDockerignore } from "../dockerignore.ts";
import { createPatternMatcher } from "../pattern-matcher.ts";
import type { DockerignoreCase } from "./dockerignore-cases.ts";
import { makeDockerignoreCase } from "./dockerignore-cases.ts";
import { askAboutDockerignores, buildGoReference, hasGo } from "./go-reference.ts";
import { createRandomSource } from "./random-source.ts";
import { attempt, matchPaths } from "./reference-answers.ts";

// Where Go is, the original answers; elsewhere what it answered once. `record` writes that anew.
const mode = process.env["SLIPWAY_GO_REFERENCE"] ?? (hasGo() ? "live" : "recorded");
const recordedSeed = 20_261_121;
const recordedCount = 2_000;
const seed = Number(process.env["SLIPWAY_SEED"] ?? recordedSeed);
const count = Number(process.env["SLIPWAY_CASES"] ?? recordedCount);
/** Cases that are held in memory at a time. */
const batchSize = 50_000;
const fixturePath = fileURLToPath(new URL("../__fixtures__/ignore-diff.json", import.meta.url));
const minuteMs = 60_000;

interface Recorded {
  /** Of the cases, which their seed makes. */
  readonly sha256: string;
  readonly answers: readonly string[];
}

function* batches(ofSeed: number, ofCount: number): Generator<DockerignoreCase[], void, undefined> {
  const random = createRandomSource(ofSeed);
  for (let start = 0; start < ofCount; start += batchSize)
    yield Array.from({ length: Math.min(batchSize, ofCount - start) }, () => makeDockerignoreCase(random));
}

function recordedCases(): DockerignoreCase[] {
  return [...batches(recordedSeed, recordedCount)].flat();
}

function hashOf(cases: readonly object[]): string {
  return createHash("sha256").update(JSON.stringify(cases)).digest("hex");
}

interface Answers {
  readonly by: string;
  readonly ofSeed: number;
  readonly batches: () => Iterable<readonly [cases: readonly DockerignoreCase[], answers: readonly string[]]>;
}

async function answersOfOriginal(): Promise<Answers> {
  if (mode !== "recorded") {
    try {
      const executable = await buildGoReference();
      const ask = function* (): ReturnType<Answers["batches"]> & Generator {
        for (const cases of batches(seed, count)) yield [cases, askAboutDockerignores(executable, cases)] as const;
      };
      return { by: "the Go original", ofSeed: seed, batches: ask };
    } catch (error) {
      if (mode === "record" || process.env["SLIPWAY_GO_REFERENCE"] === "live") throw error;
      console.log("IGNORE-DIFF: the Go original cannot be built here, so its recorded answers are used.", error);
    }
  }
  const recorded = JSON.parse(readFileSync(fixturePath, "utf8")) as Recorded;
  const cases = recordedCases();
  expect(hashOf(cases), "the cases are no longer those whose answers were recorded").toBe(recorded.sha256);
  return {
    by: "recorded answers of the Go original",
    ofSeed: recordedSeed,
    batches: () => [[cases, recorded.answers]],
  };
}

function ourAnswer({ text, paths }: DockerignoreCase): unknown {
  return attempt(() => matchPaths(createPatternMatcher(parseDockerignore(text)), paths));
}

if (mode === "record")
  test("records the answers of the Go original", { timeout: 10 * minuteMs }, async () => {
    const cases = recordedCases();
    const answers = askAboutDockerignores(await buildGoReference(), cases);
    writeFileSync(fixturePath, `${JSON.stringify({ sha256: hashOf(cases), answers } satisfies Recorded)}\n`);
  });

test(
  "IGNORE-DIFF: what a .dockerignore file ignores is what moby/patternmatcher says",
  { timeout: 60 * minuteMs },
  async () => {
    const { by, ofSeed, batches: batchesOfOriginal } = await answersOfOriginal();
    const different: object[] = [];
    const counts = { cases: 0, paths: 0, ignored: 0, refused: 0 };
    for (const [cases, answers] of batchesOfOriginal()) {
      expect(answers).toHaveLength(cases.length);
      cases.forEach((asked, index) => {
        const theirs = answers[index] ?? "";
        const ours = ourAnswer(asked);
        if (ours !== theirs) different.push({ asked, ours, theirs });
        counts.cases += 1;
        counts.paths += asked.paths.length;
        if (theirs === "error" || theirs.includes("e")) counts.refused += 1;
        else counts.ignored += theirs.split(" ").filter((pair) => pair === "11").length;
      });
    }
    console.log(
      `IGNORE-DIFF: ${counts.cases} cases of seed ${ofSeed} with ${counts.paths} paths against ${by}: ${different.length} differences ` +
        `(${counts.ignored} paths were ignored, ${counts.refused} files refused)`,
    );
    expect(different.slice(0, 3)).toEqual([]);
    // Cases that ignore nothing prove little.
    expect(counts.ignored).toBeGreaterThan(counts.paths / 10);
    expect(counts.refused).toBeGreaterThan(counts.cases / 100);
  },
);
