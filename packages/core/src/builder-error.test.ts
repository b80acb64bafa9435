import { inspect } from "node:util";

import { expect, test } from "vitest";

import { BuilderError, builderErrorCodes } from "./builder-error.ts";
import { redactSecrets } from "./redaction.ts";

const unauthorized = (message: string, diagnostics: string[] = [], cause?: unknown) =>
  new BuilderError({
    code: "REGISTRY_UNAUTHORIZED",
    message,
    details: {
      registry: "registry.example.com",
      status: 401,
      diagnostics,
      triedCredentials: ["secret builds/regcred"],
    },
    driver: "stub",
    cause,
  });

test("survives JSON, and is an error again on the other side", () => {
  const error = unauthorized("Denied.", ["UNAUTHORIZED"]);
  const copy = BuilderError.from(JSON.parse(JSON.stringify(error)));
  expect(copy).toBeInstanceOf(BuilderError);
  expect(copy.toJSON()).toEqual(error.toJSON());
  expect(copy.toJSON()).toEqual({ ...error.toJSON(), code: "REGISTRY_UNAUTHORIZED", retryable: false, driver: "stub" });
});

test("is recognised across copies of the package, and nothing else is", () => {
  const foreign = Object.assign(new Error("x"), { code: "ABORTED", [Symbol.for("slipway.BuilderError")]: true });
  expect([unauthorized("x"), foreign].map((error) => BuilderError.isInstance(error))).toEqual([true, true]);
  expect([new Error("x"), null, "x", { code: "ABORTED" }].map((error) => BuilderError.isInstance(error))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(BuilderError.from(foreign)).toBe(foreign);
});

test("from takes anything", () => {
  expect(BuilderError.from("boom")).toMatchObject({ code: "INTERNAL", details: { thrown: "boom" } });
  expect(BuilderError.from(undefined)).toMatchObject({ code: "INTERNAL", details: { thrown: "undefined" } });
  expect(BuilderError.from({ code: "NO_SUCH_CODE", message: "x", details: {} }).code).toBe("INTERNAL");
  expect(BuilderError.from(new DOMException("stop", "AbortError"))).toMatchObject({
    code: "ABORTED",
    details: { reason: "stop" },
  });
});

test("is retryable by code unless it says otherwise", () => {
  const lost = { code: "POD_LOST", message: "Lost.", details: { namespace: "builds", events: [] } } as const;
  expect([new BuilderError(lost).retryable, new BuilderError({ ...lost, retryable: false }).retryable]).toEqual([
    true,
    false,
  ]);
  expect(unauthorized("x").retryable).toBe(false);
  expect(new Set(builderErrorCodes).size).toBe(builderErrorCodes.length);
});

test.each([
  ["a password in a URL", "GET https://bob:hunter2@registry.example.com/v2/ failed", "hunter2"],
  ["a token as user of a URL", "clone https://abc123def@git.example.com/x.git", "abc123def"],
  ["an authorization header", "authorization: Bearer abc.def.ghi", "abc.def.ghi"],
  ["a basic header in prose", "sent Basic Ym9iOmh1bnRlcjI= to it", "Ym9iOmh1bnRlcjI="],
  ["a docker config", '{"auths":{"r":{"auth":"Ym9iOmh1bnRlcjI="}}}', "Ym9iOmh1bnRlcjI="],
  ["a token answer", '{"access_token": "s3cr3t-t0ken"}', "s3cr3t-t0ken"],
  ["a signed URL", "https://s3.example.com/blob?X-Amz-Signature=0a1b2c3d&x=1", "0a1b2c3d"],
  ["an assignment", "run with DB_PASSWORD=hunter2 --verbose", "hunter2"],
  ["a JSON web token", "got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl", "eyJzdWIiOiJib2IifQ"],
  ["a GitHub token", "ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_abcdefghij"],
  ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"],
])("%s shows nowhere in an error", (_, text, secret) => {
  const cause = Object.assign(new Error(text), { request: { headers: { authorization: secret } } });
  const error = unauthorized(text, [text], new Error("outer", { cause }));
  expect(error.message).toContain("[redacted]");
  expect(`${inspect(error, { depth: 10, showHidden: true })}${JSON.stringify(error)}`).not.toContain(secret);
});

test.each([
  "Basic authentication is required by registry.example.com",
  "ssh://git@github.com/team/api.git is unreachable",
  "password: is required",
  'Bearer realm="https://auth.example.com/token",service="registry"',
  "secret builds/regcred has no key .dockerconfigjson",
])("what is no secret stays: %s", (text) => {
  expect(redactSecrets(text)).toBe(text);
});

test("a cause of several errors keeps them all, with their secrets blanked out", () => {
  const inner = unauthorized("one");
  const harmless = new AggregateError([inner, new Error("two")], "both");
  expect(unauthorized("x", [], harmless).cause).toBe(harmless);
  const telling = Object.assign(new Error("three"), { request: { token: "hunter2" } });
  const { cause } = unauthorized("x", [], new AggregateError([inner, telling], "password=hunter2"));
  expect(inspect(cause, { depth: 10, showHidden: true })).not.toContain("hunter2");
  const errors = cause instanceof AggregateError ? (cause.errors as readonly Error[]) : [];
  expect(errors.map(({ message }) => message)).toEqual(["one", "three"]);
  expect(errors[0]).toBe(inner);
});

test("errors that lead back to the one that joins them are looked at once, and the way back is left out", () => {
  const joining = new AggregateError([], "all have failed");
  const failures = Array.from({ length: 20 }, (_, index) => new Error(`failure ${index}`, { cause: joining }));
  joining.errors.push(joining, ...failures);
  const { cause } = unauthorized("x", [], joining);
  const errors = cause instanceof AggregateError ? (cause.errors as readonly Error[]) : [];
  expect(errors.map(({ message }) => message)).toEqual(failures.map(({ message }) => message));
  expect(errors.map((error) => error.cause)).toEqual(failures.map(() => undefined));
});

test("a cause that leads back to itself ends", () => {
  const first = new Error("first password=hunter2");
  const second = new Error("second", { cause: first });
  first.cause = second;
  const { cause } = unauthorized("x", [], first);
  expect(cause).toMatchObject({ message: "first password=[redacted]", cause: { message: "second" } });
  expect((cause as Error & { cause: Error }).cause).not.toHaveProperty("cause");
});

test.each([new Set([new Error("token=hunter2")]), "token=hunter2", undefined])(
  "something else than a list in the place of joined errors is left out: %j",
  (errors) => {
    const cause = Object.assign(new AggregateError([], "both"), { errors });
    const error = unauthorized("x", [], cause);
    expect(error.cause).toMatchObject({ name: "AggregateError", message: "both" });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("hunter2");
  },
);

test("an error that lies deep in one cause and not in another is seen in full where it does not", () => {
  const shared = new Error("shared", { cause: new Error("why, token=hunter2") });
  const deep = Array.from({ length: 7 }).reduce<Error>((cause) => new Error("level", { cause }), shared);
  const { cause } = unauthorized("x", [], new AggregateError([deep, shared], "both"));
  expect(cause).toHaveProperty("errors[1].cause.message", "why, token=[redacted]");
});

test("causes are followed so far, and no farther", () => {
  const nest = (levels: number): Error =>
    levels === 0 ? new Error("token=hunter2") : new Error(`level ${levels}`, { cause: nest(levels - 1) });
  const messages: string[] = [];
  for (let { cause } = unauthorized("x", [], nest(20)); cause instanceof Error; { cause } = cause)
    messages.push(cause.message);
  expect(messages).toEqual(Array.from({ length: 9 }, (_, index) => `level ${20 - index}`));
});

test("a cause without secrets stays itself, and details are capped", () => {
  const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED", port: 443 });
  expect(unauthorized("x", [], cause).cause).toBe(cause);
  expect(unauthorized("x", ["y".repeat(100_000)]).details.diagnostics[0]).toHaveLength(65_537);
});
