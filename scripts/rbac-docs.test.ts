import { requiredRbac } from "@slipway/buildkit-driver";
import { expect, it } from "vitest";

import { readRepositoryFile } from "./doc-files.ts";

/** The rules of the Role in docs/security.md, one line per verb: `get apps/deployments`. */
function documentedRules(): readonly string[] {
  const rule = /\{ apiGroups: \["(.*)"\], resources: \["(.*)"\], verbs: \[(.*)\] \}/g;
  const lines = [...readRepositoryFile("docs/security.md").matchAll(rule)];
  return lines.flatMap(([, group = "", resource = "", verbs = ""]) =>
    [...verbs.matchAll(/"(\w+)"/g)].map(([, verb = ""]) => `${verb} ${group}/${resource}`),
  );
}

it("docs/security.md shows the rules that the BuildKit driver requires", () => {
  const required = requiredRbac.map(({ verb, apiGroup = "", resource }) => `${verb} ${apiGroup}/${resource}`);
  expect([...documentedRules()].sort()).toEqual([...required].sort());
});
