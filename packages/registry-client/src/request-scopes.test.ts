import { expect, test } from "vitest";

import { coversScopes, mergeScopes, requestScopes, scopesToAsk } from "./request-scopes.ts";
import type { ScopedRequest } from "./request-scopes.ts";

test.each<[ScopedRequest, string[]]>([
  [{ actions: [] }, []],
  [{ repository: "team/app", actions: ["pull"] }, ["repository:team/app:pull"]],
  [{ repository: "team/app", actions: ["push"] }, ["repository:team/app:pull,push"]],
  [{ repository: "team/app", actions: ["delete"] }, ["repository:team/app:delete"]],
  [
    { repository: "b", actions: ["pull", "push"], alsoPull: ["a", "b"] },
    ["repository:a:pull", "repository:b:pull,push"],
  ],
  [{ actions: ["pull"], scope: "registry:catalog:*" }, ["registry:catalog:*"]],
])("what is needed for %j is %j", (request, scopes) => {
  expect(requestScopes(request)).toEqual(scopes);
});

test("scopes of one resource become one, also where its name holds a port", () => {
  const scopes = ["repository:host:5000/app:push", "repository:a:pull", "repository:host:5000/app:pull"];
  expect(mergeScopes(scopes)).toEqual(["repository:a:pull", "repository:host:5000/app:pull,push"]);
});

test.each([
  [["repository:app:pull"], undefined, ["repository:app:pull"]],
  [["repository:app:pull"], "", ["repository:app:pull"]],
  [["repository:app:pull,push"], "repository:app:pull", ["repository:app:pull,push"]],
  [
    ["repository:app:pull"],
    "repository:app:pull repository:base:pull",
    ["repository:app:pull", "repository:base:pull"],
  ],
  // A registry behind another name knows its own.
  [["repository:hub/app:pull"], "repository:app:pull", ["repository:app:pull"]],
])("for %j, challenged with %j, the token service is asked for %j", (needed, challenged, asked) => {
  expect(scopesToAsk(needed, challenged)).toEqual(asked);
});

test.each([
  [["repository:app:pull,push"], ["repository:app:pull"], true],
  [["repository:app:pull"], ["repository:app:push"], false],
  [["repository:app:pull"], ["repository:base:pull"], false],
])("%j covers %j: %s", (granted, asked, covers) => {
  expect(coversScopes(granted, asked)).toBe(covers);
});
