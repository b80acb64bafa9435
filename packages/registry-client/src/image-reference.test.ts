import { execFile, execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import {
  formatFamiliarReference,
  formatImageReference,
  imageReferenceProblem,
  isImageReference,
  parseImageReference,
  readImageReference,
} from "./image-reference.ts";

// Where Go is, the original answers; elsewhere what it answered once. `record` writes that anew.
const goIsHere = spawnSync("go", ["version"], { stdio: "ignore" }).status === 0;
const mode = process.env["SLIPWAY_GO_REFERENCE"] ?? (goIsHere ? "live" : "recorded");
const recordedSeed = 20_260_819;
const seed = Number(process.env["SLIPWAY_SEED"] ?? recordedSeed);
const count = Number(process.env["SLIPWAY_CASES"] ?? 2_000);
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
    const { registry, ...reference } = readImageReference(text);
    const given = registry === "" ? {} : { registry };
    return {
      ...reference,
      ...given,
      full: formatImageReference({ registry, ...reference }),
      familiar: formatFamiliarReference({ registry, ...reference }),
    };
  } catch {
    return {};
  }
}

/** Builds the program where Go finds it again, so that an unchanged one is not linked anew. */
async function askGoReference(texts: readonly string[]): Promise<Answer[]> {
  const folder = join(process.env["SLIPWAY_CACHE"] ?? join(homedir(), ".cache", "slipway"), "go-reference");
  mkdirSync(folder, { recursive: true });
  const executable = join(folder, "image-reference");
  const cwd = fileURLToPath(new URL("../go-reference", import.meta.url));
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
  const argv = ["build", "-trimpath", "-buildvcs=false", "-o", executable, "."];
  await promisify(execFile)("go", argv, { cwd, env });
  const input = JSON.stringify(texts);
  return JSON.parse(execFileSync(executable, { input, encoding: "utf8", maxBuffer: 2 ** 29 })) as Answer[];
}

function differences(texts: readonly string[], answers: readonly Answer[]): object[] {
  return texts.flatMap((text, index) => {
    const [ours, theirs] = [ourAnswer(text), answers[index] ?? {}];
    const same = (Object.keys({ ...ours, ...theirs }) as (keyof Answer)[]).every((key) => ours[key] === theirs[key]);
    return same ? [] : [{ text, ours, theirs }];
  });
}

function recordedTexts(): string[] {
  return ["", "f".repeat(64), ...makeTexts(recordedSeed, 1_998)];
}

if (mode === "record") {
  test("records the answers of the Go reference", { timeout: 5 * minuteMs }, async () => {
    const texts = recordedTexts();
    const producedBy = `go-reference/main.go: distribution/reference at the version of its go.mod; seed ${recordedSeed}`;
    const fixture: Fixture = { producedBy, texts, answers: await askGoReference(texts) };
    writeFileSync(fixturePath, `${JSON.stringify(fixture)}\n`);
  });
}

interface Answered {
  readonly texts: readonly string[];
  readonly answers: readonly Answer[];
  readonly by: string;
}

async function answered(): Promise<Answered> {
  if (mode !== "recorded") {
    try {
      const texts = makeTexts(seed, count);
      return { texts, answers: await askGoReference(texts), by: `of seed ${seed} against the Go original` };
    } catch (error) {
      if (mode === "record" || process.env["SLIPWAY_GO_REFERENCE"] === "live") throw error;
      const reason = error instanceof Error ? error.message.split("\n").slice(0, 3).join(" ") : String(error);
      console.log(`REFERENCE: the Go original cannot be built here, so its recorded answers are used. ${reason}`);
    }
  }
  const { texts, answers } = JSON.parse(readFileSync(fixturePath, "utf8")) as Fixture;
  return { texts, answers, by: `of seed ${recordedSeed} against recorded answers of the Go original` };
}

test(
  "REFERENCE: references are parsed and written as distribution/reference does it",
  { timeout: 5 * minuteMs },
  async () => {
    const { texts, answers, by } = await answered();
    expect(answers).toHaveLength(texts.length);
    const different = differences(texts, answers);
    const accepted = answers.filter((answer) => answer.full !== undefined).length;
    console.log(
      `REFERENCE: ${texts.length} cases ${by}: ${different.length} differences ` +
        `(${accepted} are references, ${texts.length - accepted} are refused)`,
    );
    expect(different.slice(0, 3)).toEqual([]);
    expect(accepted).toBeGreaterThan(texts.length / 20);
    expect(texts.length - accepted).toBeGreaterThan(texts.length / 20);
  },
);

test.each([
  ["", /is empty/],
  ["https://r.example.com/a:b", /has a scheme/],
  ["r.example.com/Team/App:v1", /upper case/],
  ["f".repeat(64), /is an image id/],
  ["app@sha256:abc", /malformed digest/],
  [`r.example.com/${"x".repeat(256)}`, /more than 255 characters/],
  ["under_score.io/app", /can be no host/],
  ["app:", /write registry\/repository:tag/],
])("the error for %j says what is wrong", (text, message) => {
  expect(() => parseImageReference(text)).toThrow(
    expect.objectContaining({ code: "INVALID_OPTIONS", message: expect.stringMatching(message) as string }),
  );
});

test.each([
  "ann:hunter2@registry.example.com/app",
  "ann:hunter2@registry.example.com:5000/app:1",
  "a@b:hunter2@r.io/x",
  "ann:x/hunter2@registry.example.com/app",
  "ann:x/hunter2@registry.example.com",
  "ann:hunter2@localhost:5000",
  `ann:hunter2@registry.example.com/app@${sha256}`,
  "https://ann:x/hunter2@registry.example.com/app",
])("the user in %j is refused, and not shown", (text) => {
  expect(() => parseImageReference(text)).toThrow(/^(?!.*hunter2).*has a user before it; leave that out/);
});

test.each([
  ["busybox@md5:abcdef", '"busybox@md5:abcdef" has a malformed digest'],
  [`busybox@SHA256:${"a".repeat(64)}`, `"busybox@SHA256:${"a".repeat(64)}" has a malformed digest`],
  ["busybox@latest", '"…@latest" has a malformed digest'],
  ["busybox:1@v1.2", '"…@v1.2" has a malformed digest'],
  ["ann:hunter2@registry", '"…@registry" has a malformed digest'],
  ["ann:x/hunter2@registry", '"…@registry" is no image reference'],
])("%j has no user", (text, problem) => {
  expect(imageReferenceProblem(text)).toMatch(/^(?!.*hunter2)/);
  expect(imageReferenceProblem(text)).toContain(problem);
  expect(() => parseImageReference(text)).toThrow(`Invalid options for an image reference: ${problem}`);
});

test("all who read a reference agree on what is none", () => {
  for (const text of ["", "app:", "under_score.io/app", "ann:hunter2@r.io/app", `app@${sha256}`, "r.io/team/app:v1"]) {
    const problem = imageReferenceProblem(text);
    expect(isImageReference(text)).toBe(problem === undefined);
    if (problem === undefined) expect(parseImageReference(text)).toEqual(readImageReference(text));
    else expect(() => parseImageReference(text)).toThrow(problem);
  }
  expect(readImageReference("under_score.io/app")).toEqual({ registry: "", repository: "under_score.io/app" });
});
