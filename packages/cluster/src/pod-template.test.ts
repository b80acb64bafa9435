import { expect, it } from "vitest";

import { mergePodTemplate, type PodTemplate } from "./pod-template.ts";

const base: PodTemplate = {
  metadata: { labels: { app: "builder" } },
  spec: {
    containers: [{ name: "buildkitd", image: "a", args: ["x"], env: [{ name: "A", value: "1" }] }],
    volumes: [{ name: "state", emptyDir: {} }],
  },
};

it.each<[string, PodTemplate, unknown]>([
  ["adds labels", { metadata: { labels: { team: "x" } } }, { metadata: { labels: { app: "builder", team: "x" } } }],
  ["adds keys to the spec", { spec: { nodeSelector: { disk: "ssd" } } }, { spec: { nodeSelector: { disk: "ssd" } } }],
  [
    "merges a container by name",
    { spec: { containers: [{ name: "buildkitd", env: [{ name: "B", value: "2" }] }] } },
    { spec: { containers: [{ name: "buildkitd", image: "a", env: [{ name: "A" }, { name: "B", value: "2" }] }] } },
  ],
  [
    "replaces other lists",
    { spec: { containers: [{ name: "buildkitd", args: ["y"] }] } },
    { spec: { containers: [{ args: ["y"] }] } },
  ],
  [
    "adds a sidecar behind the builder",
    { spec: { containers: [{ name: "proxy", image: "p" }] } },
    { spec: { containers: [{ name: "buildkitd" }, { name: "proxy", image: "p" }] } },
  ],
  ["deletes an item", { spec: { volumes: [{ name: "state", $patch: "delete" }] } }, { spec: { volumes: [] } }],
])("%s", (_title, patch, expected) => {
  expect(mergePodTemplate(base, patch)).toMatchObject(expected as object);
});

it("deletes a key that is null and leaves its arguments alone", () => {
  const before = structuredClone(base);
  expect(mergePodTemplate(base, { spec: { volumes: null } }).spec).not.toHaveProperty("volumes");
  expect(base).toEqual(before);
});
