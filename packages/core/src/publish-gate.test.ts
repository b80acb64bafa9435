import { expect, it } from "vitest";

import { BuilderError } from "./builder-error.ts";
import { publishRefused } from "./publish-gate.ts";

const busy = new BuilderError({
  code: "PUBLISH_REFUSED",
  message: "The scanner is busy. Try again.",
  details: { reference: "a.io/app", reason: "busy" },
  retryable: true,
  driver: "buildkit",
});

it.each([
  ["alone", []],
  ["beside a destination that has failed", [new Error("full")]],
])("a refusal keeps what it says, %s", (_, failures) => {
  expect(publishRefused("a.io/app", busy, failures).toJSON()).toEqual(busy.toJSON());
});

it("a refusal beside destinations that have failed has all of it as its cause", () => {
  const [thrown, full] = [new Error("not scanned"), new Error("full")];
  const refused = publishRefused("a.io/app", thrown, [full]);
  expect(refused).toMatchObject({ code: "PUBLISH_REFUSED", retryable: false, details: { reference: "a.io/app" } });
  expect(refused.cause).toHaveProperty("errors", [thrown, full]);
});
