import assert from "node:assert/strict";
import { inspect } from "node:util";

import { BuilderError } from "@slipway/core";

import { readEvents } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

const value = "correct-horse-battery-staple-4711";

/** Of a secret, neither the value nor its base64 may show. */
const forms = [value, Buffer.from(value).toString("base64").replace(/=+$/, "")];

/** Where secrets must not show. */
export const secretRequirements: readonly ConformanceRequirement[] = [
  {
    id: "secrets-read",
    rule: "hands a build the secrets that it asks for",
    ifAnyOf: ["secrets"],
    async check(bench) {
      let reads = 0;
      const read = async () => {
        reads += 1;
        return new TextEncoder().encode(`${value}${reads}${Date.now()}`);
      };
      await bench.ended((await bench.build("secret", { secrets: { conformance: read }, noCache: true })).result());
      assert.ok(reads > 0, "The secret was never read");
    },
  },
  {
    id: "secrets-not-in-events",
    rule: "never reports a secret, nor logs it",
    ifAnyOf: ["secrets"],
    async check(bench) {
      const run = await bench.build("secret", { secrets: { conformance: { value } }, noCache: true });
      const result = await bench.ended(run.result());
      const seen = JSON.stringify([bench.events, result]) + bench.log.join("\n");
      for (const form of forms) assert.ok(!seen.includes(form), "A secret shows in the events, the result or the log");
    },
  },
  {
    id: "secrets-not-in-errors",
    rule: "never shows a secret in an error",
    ifAnyOf: ["secrets"],
    async check(bench) {
      const run = await bench.build("failingSecret", { secrets: { conformance: { value } }, noCache: true });
      const { thrown } = await bench.ended(readEvents(run));
      assert.ok(BuilderError.isInstance(thrown), "The build must fail with a BuilderError");
      const seen = `${JSON.stringify(thrown)}${inspect(thrown, { depth: 10, showHidden: true })}${String(thrown.stack)}`;
      for (const form of forms) assert.ok(!seen.includes(form), "A secret shows in the error");
    },
  },
];
