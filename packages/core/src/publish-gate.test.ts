import { expect, it, vi } from "vitest";

import { BuilderError } from "./builder-error.ts";
import { askGate, publishRefused } from "./publish-gate.ts";

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

const digest = `sha256:${"a".repeat(64)}`;
const denied = new BuilderError({
  code: "REGISTRY_UNAVAILABLE",
  message: "The registry is full.",
  details: { registry: "c.io", diagnostics: [], triedCredentials: [] },
});
const destinations = [
  { reference: `a.io/app@${digest}`, names: ["a.io/app:1"], isMoving: true },
  { reference: `b.io/app@${digest}`, names: ["b.io/app:1"], isMoving: false },
  { reference: `c.io/app@${digest}`, names: ["c.io/app:1", "c.io/app:2"], isMoving: true, error: denied },
];
const image = { digest, platforms: [], destinations };
const never = new AbortController().signal;

it("a gate is told of each destination in one list", async () => {
  const asked: unknown[] = [];
  await askGate((published) => void asked.push(published), image, never);
  const { code, message, retryable } = denied;
  expect(asked).toEqual([
    {
      ...{ digest, platforms: [] },
      references: [`a.io/app@${digest}`],
      unchanged: [`b.io/app@${digest}`],
      failed: [{ reference: `c.io/app@${digest}`, code, message, retryable }],
    },
  ]);
});

it("nobody is asked where no tag would move", async () => {
  const beforeTag = vi.fn<() => void>();
  await askGate(beforeTag, { ...image, destinations: destinations.slice(1) }, never);
  expect(beforeTag).not.toHaveBeenCalled();
});

it("a refusal has the failures of all names, and an abort is no refusal", async () => {
  const refuse = () => Promise.reject(new Error("not scanned"));
  await expect(askGate(refuse, image, never)).rejects.toMatchObject({
    code: "PUBLISH_REFUSED",
    details: { reference: `a.io/app@${digest}` },
    cause: { errors: [{ message: "not scanned" }, { message: "c.io/app:1, c.io/app:2: The registry is full." }] },
  });
  const aborted = AbortSignal.abort(new Error("enough"));
  await expect(askGate(refuse, image, aborted)).rejects.toThrow("not scanned");
  await expect(askGate(() => undefined, image, aborted)).rejects.toThrow("enough");
});
