import { expect, it } from "vitest";

import { resolveBuildkitDriverOptions } from "./buildkit-options.ts";
import { checkOwner } from "./builder-owner.ts";
import { builderDeployment } from "./workload.ts";

it("knows the Deployment that the driver makes", () => {
  const ours = builderDeployment("builds", resolveBuildkitDriverOptions({ name: "kube" }));
  expect(() => checkOwner(ours, "kube", "builds")).not.toThrow();
});

it.each([
  ["without labels", {}],
  ["of another tool", { "app.kubernetes.io/managed-by": "helm" }],
  ["of another builder", { "app.kubernetes.io/managed-by": "slipway", "slipway.dev/builder": "other" }],
])("leaves one alone that is %s", (_title, labels) => {
  expect(() => checkOwner({ metadata: { name: "kube", labels } }, "kube", "builds")).toThrow(
    /builds\/kube is not a Slipway builder/,
  );
});
