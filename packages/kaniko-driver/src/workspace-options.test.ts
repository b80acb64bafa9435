import { describe, expect, it } from "vitest";

import { executorOf } from "./executor-version.ts";
import { resolveKanikoDriverOptions, type KanikoDriverOptions } from "./kaniko-options.ts";
import { workspacePodTemplate } from "./workspace-context.ts";
import { workspaceOf } from "./workspace-options.ts";

function resolved(options: KanikoDriverOptions) {
  const driver = resolveKanikoDriverOptions(options);
  return { driver, workspace: workspaceOf(driver.workspace, executorOf(driver.image, driver.executor)) };
}

describe("contexts are kept in a workspace", () => {
  it.each<[KanikoDriverOptions, boolean]>([
    [{}, false],
    [{ workspace: {} }, true],
    [{ workspace: { enabled: true } }, true],
    [{ workspace: { enabled: false } }, false],
    [{ executor: { version: "v0.24.0" } }, false],
    [{ executor: { version: "v0.23.9" } }, true],
    [{ image: "gcr.io/kaniko-project/executor:v0.19.0" }, true],
    [{ image: "gcr.io/kaniko-project/executor:v0.20.0", workspace: { enabled: false } }, false],
  ])("%j: %s", (options, isKept) => {
    expect(resolved(options).workspace !== undefined).toBe(isKept);
  });

  it("on a claim of 10 GiB that one node mounts, unless it is said otherwise", () => {
    expect(resolved({ workspace: {} }).workspace).toMatchObject({ size: "10Gi", accessMode: "ReadWriteOnce" });
  });
});

describe("options of a workspace", () => {
  it.each<[unknown, RegExp]>([
    [{ storageclass: "fast" }, /did you mean "storageClass"/],
    [{ size: "10 GB" }, /needs a quantity/],
    [{ name: "Not_A_Name" }, /lower-case letters/],
    [{ idleMs: 9999 }, /idleMs/],
  ])("%j are refused by name", (workspace, message) => {
    expect(() => resolveKanikoDriverOptions({ workspace } as KanikoDriverOptions)).toThrow(message);
  });
});

describe("the pod of a workspace", () => {
  it("is scheduled as the pods of builds are, and takes nothing else of theirs", () => {
    const { driver, workspace } = resolved({
      workspace: { podTemplate: { spec: { nodeSelector: { disk: "ssd" } } } },
      nodeSelector: { pool: "builds" },
      tolerations: [{ key: "builds" }],
      labels: { team: "a" },
      annotations: { "sidecar.istio.io/inject": "false" },
      serviceAccount: "builder",
      podTemplate: { spec: { priorityClassName: "low", containers: [{ name: "executor", image: "x" }] } },
    });
    if (workspace === undefined) throw new Error("no workspace");
    expect(workspacePodTemplate(driver, workspace, { platforms: ["linux/arm64"] })).toEqual({
      metadata: { labels: { team: "a" }, annotations: { "sidecar.istio.io/inject": "false" } },
      spec: {
        nodeSelector: {
          "kubernetes.io/os": "linux",
          "kubernetes.io/arch": "arm64",
          pool: "builds",
          disk: "ssd",
        },
        tolerations: [{ key: "builds" }],
        priorityClassName: "low",
        serviceAccountName: "builder",
      },
    });
  });

  it("has the account that a podTemplate gives to builds", () => {
    const { driver, workspace } = resolved({
      workspace: {},
      serviceAccount: "builder",
      podTemplate: { spec: { serviceAccountName: "another", automountServiceAccountToken: true } },
    });
    if (workspace === undefined) throw new Error("no workspace");
    const { spec } = workspacePodTemplate(driver, workspace, { platforms: [] });
    expect(spec).toEqual({ nodeSelector: {}, serviceAccountName: "another" });
  });
});
