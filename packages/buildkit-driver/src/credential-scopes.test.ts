import type { Credential } from "@slipway/core";
import { expect, it } from "vitest";

import { differByScope, parseRepositoryScopes, type UsableCredential } from "./credential-scopes.ts";

it.each([
  [["repository:team/app:pull,push"], [{ repository: "team/app", actions: ["pull", "push"] }]],
  [["repository(plugin):team/app:pull"], [{ repository: "team/app", actions: ["pull"] }]],
  [["repository:host:5000/app:pull"], [{ repository: "host:5000/app", actions: ["pull"] }]],
  [["repository:app:*"], [{ repository: "app", actions: ["pull", "push", "delete"] }]],
  [
    ["repository:a:pull repository:b:push"],
    [
      { repository: "a", actions: ["pull"] },
      { repository: "b", actions: ["push"] },
    ],
  ],
  [["registry:catalog:*", "nonsense"], []],
])("reads the scopes %j", (scopes, expected) => {
  expect(parseRepositoryScopes(scopes)).toEqual(expected);
});

function user(username: string, scope?: string): UsableCredential {
  const credential: Credential = { type: "basic", source: "test", username, password: "p" };
  return scope === undefined ? credential : { ...credential, scope };
}

it.each([
  ["nothing", [], false],
  ["one that is limited", [user("a", "x")], false],
  ["two for the same", [user("a"), user("b")], false],
  ["two for the same, one of them with an empty path", [user("a", ""), user("b")], false],
  ["one twice", [user("a", "x"), user("a")], false],
  ["one that is limited beside another", [user("a", "x"), user("b")], true],
  ["two that are limited", [user("a", "x"), user("b", "y")], true],
])("%s: whether a host needs more than one credential", (_what, candidates, differ) => {
  expect(differByScope(candidates)).toBe(differ);
});
