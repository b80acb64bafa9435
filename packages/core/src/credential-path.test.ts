import { expect, it } from "vitest";

import { credentialPath } from "./credential-path.ts";

it.each([
  [undefined, []],
  ["", []],
  ["team", ["team"]],
  ["team/app", ["team", "app"]],
])("a credential with the scope %j is limited to the folders %j", (scope, folders) => {
  const credential = { type: "basic", source: "test", username: "ann", password: "p" } as const;
  expect(credentialPath(scope === undefined ? credential : { ...credential, scope })).toEqual(folders);
});
