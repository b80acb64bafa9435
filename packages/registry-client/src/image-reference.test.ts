import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { formatFamiliarReference, formatImageReference, parseImageReference } from "./image-reference.ts";

// `record` writes the fixture anew, `1` asks the Go reference about texts of a new seed; both need Go and its modules.
const mode = process.env["SLIPWAY_GO_REFERENCE"];
const fixturePath = fileURLToPath(new URL("__fixtures__/go-reference.json", import.meta.url));
const minuteMs = 60_000;

type Answer = Partial<Record<"registry" | "repository" | "tag" | "digest" | "full" | "familiar", string>>;
interface Fixture {
  readonly producedBy: string;
  readonly texts: readonly string[];
  readonly answers: readonly Answer[];
}

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`;
const pieces = [
  [
    "",
    "",
    "docker.io/",
    "index.docker.io/",
    "registry-1.docker.io/",
    "localhost/",
    "localhost:5000/",
    "Localhost/",
    "LOCAL/",
    "r.example.com/",
  ],
  [
    "",
    "",
    "",
    "[::1]/",
    "[fd00::1]:5000/",
    "1.2.3.4:80/",
    "host:5000/",
    "a..b/",
    "-a.b/",
    "a-.b/",
    "A.b:x/",
    "[::g]/",
    "under_score.io/",
    "https://r.io/",
  ],
  [
    "",
    "",
    "library/",
    "team/",
    "a/b/c/",
    "a__b/",
    "a___b/",
    "a--b/",
    "a.b/",
    "Up/",
    "/",
    "é/",
    `${"x".repeat(120)}/${"y".repeat(120)}/`,
  ],
  [
    "busybox",
    "busybox",
    "app",
    "a",
    "A",
    "a_b",
    "a-",
    "-a",
    "a..b",
    "",
    "0",
    "a b",
    "latest",
    "abcdef0123".repeat(7),
    "f".repeat(64),
    "x".repeat(300),
  ],
  [
    "",
    "",
    ":latest",
    ":1.0-rc_2",
    ":",
    ":-x",
    ":_x",
    `:${"t".repeat(128)}`,
    `:${"t".repeat(129)}`,
    ":a:b",
    ":a/b",
    ":é",
    ":LATEST",
    ":a\n",
  ],
  [
    "",
    "",
    `@${sha256}`,
    `@${sha256.toUpperCase()}`,
    "@sha256:abc",
    `@sha512:${"a".repeat(128)}`,
    `@sha384:${"a".repeat(96)}`,
    `@md5:${"a".repeat(32)}`,
    `@SHA256:${"a".repeat(64)}`,
    `@sha256+b64u.x:${"a".repeat(64)}`,
    "@",
    `@${sha256}@${sha256}`,
  ],
] as const;

/** Texts put together at random, with the numerical recipe of a linear congruential generator; ordinary pieces come first, and more often. */
function makeTexts(seed: number, count: number): string[] {
  let state = seed;
  const pick = (values: readonly string[]): string => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return values[Math.floor((state / 2 ** 32) ** 2 * values.length)] ?? "";
  };
  return Array.from({ length: count }, () => pieces.map(pick).join(""));
}

function ourAnswer(text: string): Answer {
  try {
    const reference = parseImageReference(text);
    return { ...reference, full: formatImageReference(reference), familiar: formatFamiliarReference(reference) };
  } catch {
    return {};
  }
}

function askGoReference(texts: readonly string[]): Answer[] {
  const folder = mkdtempSync(join(tmpdir(), "slipway-reference-"));
  try {
    const executable = join(folder, "go-reference");
    const cwd = fileURLToPath(new URL("../go-reference", import.meta.url));
    execFileSync("go", ["build", "-o", executable, "."], { cwd, stdio: "inherit" });
    return JSON.parse(
      execFileSync(executable, { input: JSON.stringify(texts), encoding: "utf8", maxBuffer: 2 ** 27 }),
    ) as Answer[];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function differences(texts: readonly string[], answers: readonly Answer[]): object[] {
  return texts.flatMap((text, index) => {
    const ours = ourAnswer(text);
    // `under_score.io/a` gets an empty registry there, which nothing can be pushed to: here it is refused.
    const theirs = answers[index]?.registry === undefined ? {} : answers[index];
    const same = (Object.keys({ ...ours, ...theirs }) as (keyof Answer)[]).every((key) => ours[key] === theirs[key]);
    return same ? [] : [{ text, ours, theirs }];
  });
}

if (mode === "record") {
  test("records the answers of the Go reference", { timeout: 5 * minuteMs }, () => {
    const texts = [...new Set(["", "f".repeat(64), ...makeTexts(20_260_819, 1000)])];
    const producedBy = "go-reference/main.go: distribution/reference at the version of its go.mod; seed 20260819";
    const fixture: Fixture = { producedBy, texts, answers: askGoReference(texts) };
    writeFileSync(fixturePath, `${JSON.stringify(fixture)}\n`);
  });
}

test("references are parsed and written as distribution/reference does it", () => {
  const { texts, answers } = JSON.parse(readFileSync(fixturePath, "utf8")) as Fixture;
  expect(answers.filter((answer) => answer.full !== undefined).length).toBeGreaterThan(50);
  expect(answers.filter((answer) => answer.full === undefined).length).toBeGreaterThan(50);
  expect(differences(texts, answers)).toEqual([]);
});

if (mode === "1") {
  test("the live Go reference agrees about texts of a new seed", { timeout: 5 * minuteMs }, () => {
    const seed = Number(process.env["SLIPWAY_SEED"] ?? Date.now() % 2 ** 31);
    console.log(`SLIPWAY_SEED=${seed}`);
    const texts = makeTexts(seed, 20_000);
    expect(differences(texts, askGoReference(texts))).toEqual([]);
  });
}

test.each([
  ["", /is empty/],
  ["https://r.example.com/a:b", /has a scheme/],
  ["r.example.com/Team/App:v1", /upper case/],
  ["f".repeat(64), /is an image id/],
  ["app@sha256:abc", /malformed digest/],
  [`r.example.com/${"x".repeat(256)}`, /more than 255 characters/],
  ["app:", /write registry\/repository:tag/],
])("the error for %j says what is wrong", (text, message) => {
  expect(() => parseImageReference(text)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) as string }),
  );
});
