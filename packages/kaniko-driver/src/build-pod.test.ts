import { describe, expect, it } from "vitest";

import { buildJob, type BuildPodPlan } from "./build-pod.ts";
import { buildSecret } from "./build-secret.ts";
import { kanikoDriver } from "./kaniko-driver.ts";
import { resolveKanikoDriverOptions, type KanikoDriverOptions } from "./kaniko-options.ts";

const files = { dockerConfig: '{"auths":{}}', files: { Dockerfile: "FROM scratch" } };

function job(options: KanikoDriverOptions = {}, changes: Partial<BuildPodPlan> = {}) {
  return buildJob({
    ...{
      namespace: "builds",
      name: "slipway-kaniko-1-abcd",
      request: { id: "1", platforms: [] },
      arguments: ["--force"],
      files,
      withHelper: false,
    },
    ...{ options: resolveKanikoDriverOptions(options), deadlineMs: 60_000, nowMs: 1_000_000 },
    ...changes,
  });
}

const podOf = (made: ReturnType<typeof job>) => made.spec?.template.spec;

describe("archives of an image", () => {
  it("are left by the executor where the helper, and no image, has them", () => {
    const spec = podOf(job({}, { withArchives: true, withHelper: true }));
    const mount = { name: "archives", mountPath: "/kaniko/slipway-archives" };
    expect(spec?.containers.map(({ volumeMounts }) => volumeMounts?.some(({ name }) => name === mount.name))).toEqual([
      ...[true, true],
    ]);
    expect(spec?.containers[0]?.volumeMounts).toContainEqual(mount);
    expect(spec?.volumes).toContainEqual({ name: "archives", emptyDir: {} });
  });

  it("are no reason for a volume where there are none", () => {
    const spec = podOf(job({}, { withHelper: true }));
    expect(spec?.volumes?.some(({ name }) => name === "archives")).toBe(false);
    expect(spec?.containers[1]?.securityContext).toMatchObject({ runAsNonRoot: true });
  });
});

describe("the environment", () => {
  it("comes from the options, from elsewhere, and from what the context needs", () => {
    const valueFrom = { secretKeyRef: { name: "git", key: "token" } };
    const options = { env: { A: "1" }, envFrom: { GIT_TOKEN: valueFrom }, initEnv: { B: "2" } };
    const spec = podOf(job(options, { env: { GIT_PULL_METHOD: "http" }, withHelper: true }));
    expect(spec?.containers.map(({ env }) => env)).toEqual([
      [
        { name: "GIT_PULL_METHOD", value: "http" },
        { name: "A", value: "1" },
        { name: "GIT_TOKEN", valueFrom },
      ],
      [{ name: "B", value: "2" }],
    ]);
  });
});

describe("the Job of a build", () => {
  it("is ended and removed by the cluster, and makes no second pod", () => {
    expect(job().spec).toMatchObject({ activeDeadlineSeconds: 60, ttlSecondsAfterFinished: 5, backoffLimit: 0 });
    expect(podOf(job())?.restartPolicy).toBe("Never");
  });

  it("is labelled with its build and its end, and so is its pod", () => {
    const { metadata, spec } = job({ labels: { team: "a", "slipway.dev/build-id": "forged" } });
    expect(metadata?.labels).toMatchObject({ "slipway.dev/build-id": "1", "slipway.dev/expires-at": "1060" });
    expect(spec?.template.metadata?.labels).toMatchObject({ team: "a", "slipway.dev/build-id": "1" });
  });

  it("has no privileges", () => {
    const [executor] = podOf(job())?.containers ?? [];
    expect(executor?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(podOf(job())?.automountServiceAccountToken).toBe(false);
  });

  it("has a helper only where a registry must be asked from within", () => {
    expect(podOf(job())?.containers.map(({ name }) => name)).toEqual(["executor"]);
    expect(podOf(job({}, { withHelper: true }))?.containers.map(({ name }) => name)).toEqual(["executor", "helper"]);
  });

  it("mounts credentials where kaniko looks, and nothing where there are none", () => {
    const paths = (made: ReturnType<typeof job>) =>
      podOf(made)?.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath);
    expect(paths(job())).toEqual(["/kaniko/.docker", "/kaniko/slipway"]);
    expect(paths(job({}, { files: { files: {} } }))).toEqual([]);
  });

  it("goes to a node of its platform", () => {
    const made = job({ nodeSelector: { disk: "ssd" } }, { request: { id: "1", platforms: ["linux/arm64/v8"] } });
    expect(podOf(made)?.nodeSelector).toEqual({
      disk: "ssd",
      "kubernetes.io/os": "linux",
      "kubernetes.io/arch": "arm64",
    });
  });

  it("is merged with the podTemplate last", () => {
    const containers = [{ name: "executor", resources: { limits: { memory: "1Gi" } } }];
    const made = job({ podTemplate: { spec: { priorityClassName: "low", containers } } });
    expect(podOf(made)).toMatchObject({ priorityClassName: "low" });
    expect(podOf(made)?.containers[0]).toMatchObject({ args: ["--force"], resources: { limits: { memory: "1Gi" } } });
  });
});

describe("the Secret of a build", () => {
  it("belongs to the Job", () => {
    const made = job();
    const secret = buildSecret({ ...made, metadata: { ...made.metadata, uid: "u" } }, files);
    expect(secret?.metadata?.ownerReferences).toMatchObject([{ kind: "Job", name: made.metadata?.name, uid: "u" }]);
    expect(secret?.stringData).toEqual({ Dockerfile: "FROM scratch", "config.json": '{"auths":{}}' });
  });
});

describe("options", () => {
  it.each<[unknown, RegExp]>([
    [{ snapshotmode: "redo" }, /"snapshotmode", did you mean "snapshotMode"/],
    [{ args: ["--snapshoteMode=redo"] }, /args\[0\].*did you mean --snapshot-mode\?/],
    [{ additionalMounts: [{ mountPath: "/x" }] }, /exactly one of secret and configMap/],
    [{ additionalMounts: [{ mountPath: "/x", emptyDir: {} }] }, /emptyDir/],
    [{ cache: { ttl: "two weeks" } }, /needs a duration/],
  ])("%j are refused by name", (options, message) => {
    expect(() => kanikoDriver(options as KanikoDriverOptions)).toThrow(message);
  });
});
