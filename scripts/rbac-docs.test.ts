import { requiredRbac as buildkitRbac } from "@slipway/buildkit-driver";
import { requiredRbac as kanikoRbac, workspaceRbac } from "@slipway/kaniko-driver";
import { expect, it } from "vitest";

import { readRepositoryFile } from "./doc-files.ts";

/** The rules of a Role in docs/security.md, one line per verb: `get apps/deployments`. */
function documentedRules(role: string): readonly string[] {
  const blocks = readRepositoryFile("docs/security.md").split("```");
  const block = blocks.find((text) => text.includes(`metadata: { name: ${role}, `)) ?? "";
  const rule = /\{ apiGroups: \["(.*)"\], resources: \["(.*)"\], verbs: \[(.*)\] \}/g;
  return [...block.matchAll(rule)].flatMap(([, group = "", resource = "", verbs = ""]) =>
    [...verbs.matchAll(/"(\w+)"/g)].map(([, verb = ""]) => `${verb} ${group}/${resource}`),
  );
}

it.each([
  ["BuildKit", "slipway", buildkitRbac],
  ["kaniko", "slipway-kaniko", kanikoRbac],
  ["kaniko", "slipway-kaniko-workspace", workspaceRbac],
])("docs/security.md shows the rules that the %s driver requires", (_driver, role, rules) => {
  const required = rules.map(({ verb, apiGroup = "", resource }) => `${verb} ${apiGroup}/${resource}`);
  expect([...documentedRules(role)].sort()).toEqual([...required].sort());
});
