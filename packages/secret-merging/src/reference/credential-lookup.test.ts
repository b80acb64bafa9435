import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import { isDockerAnswer, isKubeletAnswer } from "./compare-lookups.ts";
import type { GoAnswer } from "./go-reference.ts";
import { askGoReference, buildGoReference, hasGo } from "./go-reference.ts";
import type { DockerLookupCase, KeyringCase } from "./lookup-cases.ts";
import { makeDockerLookupCase, makeKeyringCase } from "./lookup-cases.ts";
import { createRandomSource } from "./random-source.ts";
import type { RandomSource } from "./random-source.ts";

// Where Go is, the originals answer; elsewhere what they answered once. `record` writes that anew.
const mode = process.env["SLIPWAY_GO_REFERENCE"] ?? (hasGo() ? "live" : "recorded");
const recordedSeed = 20_261_121;
const seed = Number(process.env["SLIPWAY_SEED"] ?? recordedSeed);
const count = Number(process.env["SLIPWAY_CASES"] ?? 2_000);
const fixturePath = fileURLToPath(new URL("../__fixtures__/credential-lookups.json", import.meta.url));
const minuteMs = 60_000;

interface Recorded {
  /** Of the cases, which their seed makes. */
  readonly sha256: string;
  readonly answers: readonly GoAnswer[];
}
type Fixture = Readonly<Record<string, Recorded>>;

function makeCases<Case>(make: (random: RandomSource) => Case, ofSeed = seed, ofCount = count): Case[] {
  const random = createRandomSource(ofSeed);
  return Array.from({ length: ofCount }, () => make(random));
}

function hashOf(cases: readonly object[]): string {
  return createHash("sha256").update(JSON.stringify(cases)).digest("hex");
}

/** The answers of the originals, and where they come from. */
async function answersFor<Case extends object>(
  id: string,
  make: (random: RandomSource) => Case,
): Promise<Answered<Case>> {
  if (mode !== "recorded") {
    try {
      const cases = makeCases(make);
      return { cases, answers: askGoReference(await buildGoReference(), cases), by: "the Go original", ofSeed: seed };
    } catch (error) {
      if (mode === "record" || process.env["SLIPWAY_GO_REFERENCE"] === "live") throw error;
      console.log(`${id}: the Go original cannot be built here, so its recorded answers are used. ${firstLine(error)}`);
    }
  }
  const recorded = (JSON.parse(readFileSync(fixturePath, "utf8")) as Fixture)[id];
  const answers = recorded?.answers ?? [];
  const cases = makeCases(make, recordedSeed, answers.length);
  expect(hashOf(cases), "the cases are no longer those whose answers were recorded").toBe(recorded?.sha256);
  return { cases, answers, by: "recorded answers of the Go original", ofSeed: recordedSeed };
}

interface Answered<Case> {
  readonly cases: readonly Case[];
  readonly answers: readonly GoAnswer[];
  readonly by: string;
  readonly ofSeed: number;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n").slice(0, 3).join(" ");
}

async function compare<Case extends object>(
  id: string,
  make: (random: RandomSource) => Case,
  same: (asked: Case, theirs: GoAnswer) => boolean,
): Promise<void> {
  const { cases, answers, by, ofSeed } = await answersFor(id, make);
  expect(answers).toHaveLength(cases.length);
  const different = cases.flatMap((asked, index) => {
    const theirs = answers[index] ?? { logins: [] };
    return same(asked, theirs) ? [] : [{ asked, theirs }];
  });
  const found = answers.filter(({ logins, helper }) => logins.length > 0 || helper !== undefined).length;
  const failed = answers.filter((answer) => answer.failed).length;
  console.log(
    `${id}: ${cases.length} cases of seed ${ofSeed} against ${by}: ${different.length} differences ` +
      `(${found} found a login, ${failed} were refused)`,
  );
  expect(different.slice(0, 3)).toEqual([]);
  // Cases that find nothing prove little.
  expect(found).toBeGreaterThan(cases.length / 4);
  expect(failed).toBeGreaterThan(cases.length / 200);
}

if (mode === "record")
  test("records the answers of the Go originals", { timeout: 10 * minuteMs }, async () => {
    const executable = await buildGoReference();
    const record = (cases: readonly object[]): Recorded => ({
      sha256: hashOf(cases),
      answers: askGoReference(executable, cases),
    });
    const fixture: Fixture = {
      KEYRING: record(makeCases<KeyringCase>(makeKeyringCase, recordedSeed, 2_000)),
      "DOCKER-LOOKUP": record(makeCases<DockerLookupCase>(makeDockerLookupCase, recordedSeed, 2_000)),
    };
    writeFileSync(fixturePath, `${JSON.stringify(fixture)}\n`);
  });

describe("lookups of credentials", { timeout: 10 * minuteMs }, () => {
  test("KEYRING: finds for every image what the kubelet's keyring finds", () =>
    compare("KEYRING", makeKeyringCase, isKubeletAnswer));

  test("DOCKER-LOOKUP: finds for every host what Docker's command line finds", () =>
    compare("DOCKER-LOOKUP", makeDockerLookupCase, isDockerAnswer));
});
