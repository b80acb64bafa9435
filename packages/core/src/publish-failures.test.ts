import { expect, it } from "vitest";

import { BuilderError } from "./builder-error.ts";
import { publishFailed } from "./publish-failures.ts";
import type { DestinationOutcome } from "./publish-failures.ts";

function destinationAt(registry: string, error?: BuilderError): DestinationOutcome {
  return { names: [`${registry}/app:1`], error: error === undefined ? undefined : BuilderError.from(error) };
}

function unavailable(registry: string, cause?: unknown): BuilderError {
  const details = { registry, status: 503, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_UNAVAILABLE", message: `${registry} is busy.`, details, cause });
}

function unauthorized(registry: string): BuilderError {
  const details = { registry, status: 401, diagnostics: [], triedCredentials: [] };
  return new BuilderError({ code: "REGISTRY_UNAUTHORIZED", message: `${registry} knows nobody.`, details });
}

it("is none where no destination has failed", () => {
  expect(publishFailed("a/b:1", [destinationAt("a.example.com")])).toBeUndefined();
});

it("of one destination is its own error", () => {
  const cause = new Error("connect ECONNREFUSED");
  const own = unavailable("a.example.com", cause);
  const error = publishFailed("a/b:1", [destinationAt("a.example.com", own), destinationAt("b.example.com")]);
  expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: true, details: own.details });
  expect(error?.cause).toBe(own);
  expect(own.cause).toBe(cause);
  expect(error?.message).toMatch(/a\.example\.com\/app:1: a\.example\.com is busy\. It is at b\.example\.com\/app:1\./);
});

it("of several is retryable only if all are, and is about the first that is not", () => {
  const [busy, refusing, other] = [unavailable("a.example.com"), unauthorized("b.example.com"), unavailable("c.io")];
  const mixed = publishFailed("a/b:1", [
    destinationAt("a.example.com", busy),
    destinationAt("b.example.com", refusing),
  ]);
  expect(mixed).toMatchObject({ code: "REGISTRY_UNAUTHORIZED", retryable: false, details: refusing.details });
  const transient = publishFailed("a/b:1", [destinationAt("a.example.com", busy), destinationAt("c.io", other)]);
  expect(transient).toMatchObject({ code: "REGISTRY_UNAVAILABLE", retryable: true, details: busy.details });
});

it("of several has the error of each destination, under its name", () => {
  const [busy, refusing] = [unavailable("a.example.com"), unauthorized("b.example.com")];
  const { cause } = publishFailed("a/b:1", [
    destinationAt("a.example.com", busy),
    destinationAt("b.example.com", refusing),
  ]) as BuilderError;
  const errors: readonly unknown[] = cause instanceof AggregateError ? cause.errors : [];
  expect(errors).toMatchObject([
    { code: "REGISTRY_UNAVAILABLE", message: "a.example.com/app:1: a.example.com is busy.", details: busy.details },
    { code: "REGISTRY_UNAUTHORIZED", message: "b.example.com/app:1: b.example.com knows nobody.", retryable: false },
  ]);
  expect(errors.map((error) => BuilderError.isInstance(error) && error.cause)).toEqual([busy, refusing]);
});
