import { describe, expect, it } from "vitest";

import { resolveBuildkitDriverOptions, type BuildkitDriverOptions } from "./buildkit-options.ts";
import { builderDeployment, configHashAnnotation } from "./workload.ts";

function deployment(options: BuildkitDriverOptions) {
  return builderDeployment("builds", resolveBuildkitDriverOptions(options));
}

function container(options: BuildkitDriverOptions) {
  return deployment(options).spec?.template.spec?.containers[0];
}

describe("builderDeployment", () => {
  it("is privileged unless it is rootless", () => {
    expect(container({})?.securityContext).toEqual({ privileged: true });
    expect(container({ rootless: true })?.securityContext).toMatchObject({
      runAsUser: 1000,
      seccompProfile: { type: "Unconfined" },
    });
    expect(container({ rootless: true })?.securityContext).not.toHaveProperty("privileged");
    expect(container({ rootless: true })?.image).toMatch(/-rootless$/);
  });

  it("shows the configuration as files", () => {
    const { template } = deployment({ registries: { "r.svc:5000": { http: true } } }).spec ?? {};
    expect(template?.metadata?.annotations?.["file.slipway.dev/buildkitd.toml"]).toContain(
      '[registry."r.svc:5000"]\n  http = true',
    );
    expect(template?.spec?.volumes).toContainEqual({
      name: "config",
      downwardAPI: {
        items: [
          {
            path: "buildkitd.toml",
            fieldRef: { fieldPath: "metadata.annotations['file.slipway.dev/buildkitd.toml']" },
          },
        ],
      },
    });
  });

  it.each<[string, BuildkitDriverOptions]>([
    ["the image", { image: "other" }],
    ["a registry", { registries: { r: { http: true } } }],
    ["a limit", { resources: { limits: { memory: "1Gi" } } }],
    ["the pod template", { podTemplate: { spec: { nodeSelector: { a: "b" } } } }],
  ])("has another hash with %s", (_what, options) => {
    const hash = (of: BuildkitDriverOptions) => deployment(of).metadata?.annotations?.[configHashAnnotation];
    expect(hash(options)).not.toBe(hash({}));
    expect(hash(options)).toBe(hash(structuredClone(options)));
  });

  it("keeps its own labels, whatever the pod template says", () => {
    const { template, selector } =
      deployment({ podTemplate: { metadata: { labels: { "slipway.dev/builder": "x", team: "y" } } } }).spec ?? {};
    expect(template?.metadata?.labels).toMatchObject({ ...selector?.matchLabels, team: "y" });
  });
});

it.each([
  [{ nmae: "x" }, /nmae.*did you mean "name"/],
  [{ name: "Not_A_Name" }, /name: needs lower-case/],
  [{ replicas: 0 }, /replicas/],
  [{ registries: { r: { htpp: true } } }, /htpp.*did you mean "http"/],
])("refuses %j", (options, message) => {
  expect(() => resolveBuildkitDriverOptions(options as BuildkitDriverOptions)).toThrow(message);
});
