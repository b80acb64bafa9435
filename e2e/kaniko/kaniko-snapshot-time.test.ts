import { afterAll, expect, test } from "vitest";

import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);

/** Owners of what a `chown` has touched, as a build on top of the image sees them. */
async function ownersAfter(snapshotMode: "full" | "time"): Promise<string> {
  const settings = { snapshotMode, cache: { enabled: false } };
  const dockerfile = `${trials.from}COPY app /app\nRUN chown 333:333 -R /app\n`;
  const { result } = await trials.succeed(dockerfile, { files: { "app/file": "x" }, kaniko: settings });
  const read = `FROM ${result.image?.reference ?? ""}\nRUN stat -c %u:%g /app /app/file\n`;
  return (await trials.succeed(read, { kaniko: { cache: { enabled: false } } })).output;
}

test.concurrent("SNAPSHOT-TIME: a chown is in the image in the mode full", async () => {
  expect(await ownersAfter("full")).toBe("333:333\n333:333\n");
});

test.concurrent("SNAPSHOT-TIME: a chown is not in the image in the mode time", async () => {
  expect(await ownersAfter("time")).toBe("0:0\n0:0\n");
});
