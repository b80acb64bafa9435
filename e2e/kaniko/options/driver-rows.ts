import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";
import { expect } from "vitest";

import { keeperTemplate, podOptions, says, usersOf, workspaceOptions, type OptionBuilds } from "./option-builds.ts";
import type { OptionRows } from "./option-row.ts";

async function mountAt(builds: OptionBuilds, mountPath: string) {
  return (await builds.executor())?.volumeMounts?.find((mount) => mount.mountPath === mountPath);
}

async function argument(builds: OptionBuilds, expected: string): Promise<void> {
  expect(await builds.arguments()).toContain(expected);
}

async function lines(builds: OptionBuilds): Promise<readonly string[]> {
  return (await builds.pod()).output.split("\n");
}

/** The options of the driver: each key of its schema. */
export const driverRows: OptionRows<keyof KanikoDriverOptions> = {
  kubeconfig: {
    shows: "a file that is not there is named",
    check: async ({ trials }) => {
      const error = await trials.fail("FROM scratch\n", { driver: { kubeconfig: "/no/such/file" } });
      expect(error).toMatchObject({ code: "KUBECONFIG_INVALID", details: { path: "/no/such/file" } });
    },
  },
  context: {
    shows: "a context that is not there is named",
    check: async ({ trials }) => {
      const error = await trials.fail("FROM scratch\n", { driver: { context: "nowhere" } });
      expect(error).toMatchObject({ code: "KUBECONFIG_INVALID", details: { context: "nowhere" } });
    },
  },
  namespace: {
    shows: "the namespace of the live pod",
    check: async (builds) => expect((await builds.pod()).pod.metadata?.namespace).toBe(builds.kaniko.namespace.name),
  },
  image: {
    shows: "the image of the live executor",
    check: async (builds) => expect((await builds.executor())?.image).toBe(builds.kaniko.driverOptions.image),
  },
  executor: {
    shows: "flags of the live executor: those of v0.23.0 and no later ones",
    check: async (builds) => {
      const args = (await builds.plain()).pod.spec?.containers[0]?.args ?? [];
      expect(args).toContain("--snapshotMode=full");
      expect(args.filter((argument) => /^--(?:snapshot-mode|push-retry|image-download-retry)/.test(argument))).toEqual(
        [],
      );
    },
  },
  images: {
    shows: "the images of the live containers; with a registry, the image that the node is asked for",
    check: async (builds) => {
      const { image, images } = builds.kaniko.driverOptions;
      expect((await builds.helper())?.image).toBe(images?.helper);
      expect((await builds.loud()).pod.spec?.containers[0]?.image).toBe(image);
      const mirrored = "mirror.example.com/hub/kaniko-project/executor:v1.24.0";
      expect(await builds.mirrored()).toMatchObject({ code: "IMAGE_PULL_FAILED", details: { image: mirrored } });
    },
  },
  workspace: {
    shows: "the volume and the arguments of the live executor, and what the build has read there",
    check: async (builds) => {
      const { pod, output } = await builds.workspace();
      expect(pod.spec?.containers[0]?.args).toContain("--context=dir:///kaniko/context");
      expect(pod.spec?.volumes?.some((volume) => volume.persistentVolumeClaim !== undefined)).toBe(true);
      expect(output).toContain("COPY Dockerfile /");
    },
  },
  registries: {
    shows: "the arguments of the live executor, the certificate in the live Secret, and one warning",
    check: async (builds) => {
      const args = await builds.arguments();
      expect(args).toContain(`--insecure-registry=${builds.host}`);
      expect(args).toContain("--skip-tls-verify-registry=a.example.com");
      expect(args).toContain("--registry-certificate=a.example.com=/kaniko/slipway/ca-1.pem");
      const { secret, warnings } = await builds.pod();
      expect(Buffer.from(secret?.data?.["ca-1.pem"] ?? "", "base64").toString()).toContain("BEGIN CERTIFICATE");
      expect(warnings.filter((warning) => warning.includes(`plain HTTP to ${builds.host}`))).toHaveLength(1);
    },
  },
  insecure: {
    shows: "an image pulled and pushed without TLS, and one warning",
    check: async (builds) => {
      const { warnings, result } = await builds.plain();
      expect(warnings.filter((warning) => warning.includes("plain HTTP to every registry"))).toHaveLength(1);
      expect(result.image?.digest).toMatch(/^sha256:/);
    },
  },
  skipTlsVerify: {
    shows: "the arguments of the live executor, and the same warning",
    check: async (builds) => {
      const { pod, warnings } = await builds.plain();
      expect(pod.spec?.containers[0]?.args).toContain("--skip-tls-verify");
      expect(pod.spec?.containers[0]?.args).not.toContain("--skip-tls-verify-pull");
      expect(warnings.join()).toContain("no certificate check of every registry");
    },
  },
  registryMirrors: {
    shows: "an image of Docker Hub that only the mirror has",
    check: async (builds) => expect(says(await builds.plain(), /from mapped registry/)).toBe(true),
  },
  pullSecret: {
    shows: "its credentials, before all others, in the live Secret of the build",
    check: async (builds) => {
      const users = usersOf(await builds.pod());
      expect(users[builds.host]).toBe("somebody:password");
      expect(new Set(Object.values(users)).size).toBe(1);
    },
  },
  additionalMounts: {
    shows: "what a step reads there, with names and modes, and the live mounts",
    check: async (builds) => {
      expect(await lines(builds)).toEqual(
        expect.arrayContaining([
          ...["keys: key renamed.json", "secret: a token 400", "setting: of a map", "one: alone 440"],
          "map: of a map 404 444",
        ]),
      );
      expect(await mountAt(builds, "/some/secret")).toMatchObject({ readOnly: true });
      expect((await mountAt(builds, "/some/config"))?.readOnly ?? false).toBe(false);
      expect(await mountAt(builds, "/some/one")).toMatchObject({ subPath: "other" });
    },
  },
  resources: {
    shows: "the resources of the live executor",
    check: async (builds) => expect((await builds.executor())?.resources).toMatchObject(podOptions.resources),
  },
  nodeSelector: {
    shows: "the node of the live pod",
    check: async (builds) => expect((await builds.pod()).pod.spec?.nodeName).toBe(builds.node),
  },
  tolerations: {
    shows: "the tolerations of the live pod",
    check: async (builds) => {
      const tolerations = podOptions.tolerations.map((toleration) => expect.objectContaining(toleration) as unknown);
      expect((await builds.pod()).pod.spec?.tolerations).toEqual(expect.arrayContaining(tolerations));
    },
  },
  affinity: {
    shows: "the affinity of the live pod",
    check: async (builds) => expect((await builds.pod()).pod.spec?.affinity).toMatchObject(podOptions.affinity),
  },
  annotations: {
    shows: "the annotations of the live pod, and of the one that keeps contexts",
    check: async (builds) => {
      expect((await builds.pod()).pod.metadata?.annotations).toMatchObject(podOptions.annotations);
      expect((await builds.workspace()).keeper?.metadata?.annotations).toMatchObject(podOptions.annotations);
    },
  },
  labels: {
    shows: "the labels of the live pod, beside those of Slipway",
    check: async (builds) => {
      const { labels } = (await builds.pod()).pod.metadata ?? {};
      expect(labels).toMatchObject({ ...podOptions.labels, "app.kubernetes.io/managed-by": "slipway" });
    },
  },
  serviceAccount: {
    shows: "the account of the live pod, and of the one that keeps contexts, which has no token",
    check: async (builds) => {
      expect((await builds.pod()).pod.spec?.serviceAccountName).toBe(podOptions.serviceAccount);
      const { serviceAccountName, automountServiceAccountToken } = (await builds.workspace()).keeper?.spec ?? {};
      expect(serviceAccountName).toBe(podOptions.serviceAccount);
      expect(automountServiceAccountToken).toBe(false);
    },
  },
  env: {
    shows: "the environment of the live executor",
    check: async (builds) => expect((await builds.executor())?.env).toContainEqual({ name: "HELLO", value: "world" }),
  },
  envFrom: {
    shows: "the environment of the live executor",
    check: async (builds) => {
      const valueFrom = podOptions.envFrom.TOKEN;
      expect((await builds.executor())?.env).toContainEqual({ name: "TOKEN", valueFrom });
    },
  },
  initEnv: {
    shows: "the environment of the live containers beside the executor and in the workspace",
    check: async (builds) => {
      const beside = [{ name: "BESIDE", value: podOptions.initEnv.BESIDE }];
      expect((await builds.helper())?.env).toEqual(beside);
      expect((await builds.workspace()).keeper?.spec?.containers[0]?.env).toEqual(beside);
    },
  },
  command: {
    shows: "the command of the live executor",
    check: async (builds) => expect((await builds.executor())?.command).toEqual(podOptions.command),
  },
  podTemplate: {
    shows: "the host name of the live pod",
    check: async (builds) => expect((await builds.pod()).pod.spec?.hostname).toBe("builder"),
  },
  deadlineMs: {
    shows: "the deadline of the live Job",
    check: async (builds) => expect((await builds.pod()).job?.spec?.activeDeadlineSeconds).toBe(300),
  },
  startTimeoutMs: {
    shows: "when a pod that cannot start is given up",
    check: async ({ trials }) => {
      const podTemplate = { spec: { schedulingGates: [{ name: "example.com/never" }] } };
      const startedMs = performance.now();
      const error = await trials.fail(`${trials.from}RUN echo\n`, { driver: { podTemplate, startTimeoutMs: 2000 } });
      expect(error).toMatchObject({ code: "TIMEOUT", details: { timeoutMs: 2000 } });
      expect(performance.now() - startedMs).toBeLessThan(30_000);
    },
  },
  unschedulableGraceMs: {
    shows: "when a pod without a node is given up",
    check: async ({ trials }) => {
      const startedMs = performance.now();
      const driver = { nodeSelector: { nowhere: "true" }, unschedulableGraceMs: 500 };
      expect((await trials.fail(`${trials.from}RUN echo\n`, { driver })).code).toBe("UNSCHEDULABLE");
      expect(performance.now() - startedMs).toBeLessThan(4500);
    },
  },
  cache: {
    shows: "whether a step comes from the cache",
    check: async (builds) =>
      expect(await builds.cached()).toMatchObject({ first: false, second: true, disabled: false }),
  },
  snapshotMode: {
    shows: "what the executor says about files",
    check: async (builds) =>
      expect(says(await builds.loud(), /Only file modification time will be considered/)).toBe(true),
  },
  useNewRun: {
    shows: "what the executor says about a step",
    check: async (builds) => expect(says(await builds.loud(), /Using new RunMarker command/i)).toBe(true),
  },
  singleSnapshot: {
    shows: "the layers of the image in the registry",
    check: async (builds) => {
      const { rootfs } = await builds.trials.configOf((await builds.steady()).first);
      const base = await builds.trials.configOf((await builds.options()).result);
      expect(rootfs.diff_ids).toHaveLength(base.rootfs.diff_ids.length + 1);
    },
  },
  reproducible: {
    shows: "the digests of two builds",
    check: async (builds) => {
      const { first, second } = await builds.steady();
      expect(first.image?.digest).toBe(second.image?.digest);
    },
  },
  cleanup: {
    shows: "what the executor says at the end",
    check: async (builds) => expect(says(await builds.loud(), /Deleting filesystem/)).toBe(true),
  },
  verbosity: {
    shows: "a line of the log that others leave out",
    check: async (builds) => expect(says(await builds.loud(), /Getting source context/)).toBe(true),
  },
  args: {
    shows: "the arguments of the live executor; a misspelt one is refused with the nearest name",
    check: async (builds) => {
      expect((await builds.loud()).pod.spec?.containers[0]?.args).toContain("--ignore-path=/tmp/x");
      expect(() => kanikoDriver({ args: ["--snapshoteMode=redo"] })).toThrow(/did you mean --snapshot-mode\?/);
    },
  },
  allowUnknownFlags: {
    shows: "what the executor says about the flag",
    check: async ({ trials }) => {
      const kaniko = { args: ["--brand-new=1"], allowUnknownFlags: true };
      const error = await trials.fail(`${trials.from}RUN echo\n`, { kaniko });
      expect(error.message).toMatch(/unknown flag: --brand-new/);
    },
  },
};

/** The same key of a mounted Secret or ConfigMap, by what a step reads there. */
function mounted(of: "secret" | "configMap", key: string, read: string): OptionRows {
  const check = async (builds: OptionBuilds) => expect(await lines(builds)).toContain(read);
  return { [`additionalMounts.${of}.${key}`]: { shows: "what a step reads there", check } };
}

/** Keys of options that are objects themselves. */
export const nestedRows: OptionRows = {
  "cache.enabled": {
    shows: "whether a step comes from the cache",
    check: async (builds) => expect(await builds.cached()).toMatchObject({ second: true, disabled: false }),
  },
  "cache.repository": {
    shows: "what the registry has there",
    check: async (builds) => {
      await builds.cached();
      const list = await builds.kaniko.registryContent(
        builds.host,
        `${builds.repository.replace(`${builds.host}/`, "")}/layers/tags/list`,
      );
      expect((JSON.parse(String(list)) as { tags: string[] }).tags.length).toBeGreaterThan(0);
    },
  },
  "cache.ttl": { shows: "the arguments of the live executor", check: (builds) => argument(builds, "--cache-ttl=2h") },
  "cache.copyLayers": {
    shows: "the arguments of the live executor",
    check: (builds) => argument(builds, "--cache-copy-layers=true"),
  },
  "cache.runLayers": {
    shows: "the arguments of the live executor",
    check: (builds) => argument(builds, "--cache-run-layers=false"),
  },
  "cache.compressed": {
    shows: "the arguments of the live executor",
    check: (builds) => argument(builds, "--compressed-caching=false"),
  },
  "cache.directory": {
    shows: "the arguments of the live executor",
    check: (builds) => argument(builds, "--cache-dir=/base-images"),
  },
  "registries.http": { shows: "as registries", check: (builds) => driverRows.registries.check(builds) },
  "registries.insecure": { shows: "as registries", check: (builds) => driverRows.registries.check(builds) },
  "registries.ca": { shows: "as registries", check: (builds) => driverRows.registries.check(builds) },
  "images.registry": { shows: "as images", check: (builds) => driverRows.images.check(builds) },
  "images.helper": { shows: "as images", check: (builds) => driverRows.images.check(builds) },
  "images.kaniko": {
    shows: "the image of the live executor",
    check: async (builds) =>
      expect((await builds.loud()).pod.spec?.containers[0]?.image).toBe(builds.kaniko.driverOptions.image),
  },
  ...Object.fromEntries(
    ["images.buildkit", "images.buildkitRootless"].map((name) => [
      name,
      {
        shows: "nowhere: accepted, so that every driver takes the same map",
        check: async (builds: OptionBuilds) =>
          expect(JSON.stringify((await builds.loud()).pod.spec)).not.toContain("b.example.com"),
      },
    ]),
  ),
  "workspace.podTemplate": {
    shows: "annotations, node selector, tolerations and resources of the live pod that keeps contexts",
    check: async (builds) => {
      const { keeper } = await builds.workspace();
      const { nodeSelector, containers, tolerations } = keeperTemplate.spec;
      expect(keeper?.metadata?.annotations).toMatchObject(keeperTemplate.metadata.annotations);
      expect(keeper?.spec?.nodeSelector).toMatchObject(nodeSelector);
      expect(keeper?.spec?.tolerations).toEqual(expect.arrayContaining(tolerations));
      expect(keeper?.spec?.containers[0]?.resources).toMatchObject(containers[0]?.resources ?? {});
    },
  },
  "workspace.name": {
    shows: "a live pod of that name",
    check: async (builds) => expect((await builds.workspace()).keeper?.metadata?.name).toMatch(/^options/),
  },
  "workspace.enabled": {
    shows: "the arguments of a live executor that would have a workspace otherwise",
    check: async (builds) =>
      expect((await builds.plain()).pod.spec?.containers[0]?.args).toContain("--context=tar://stdin"),
  },
  "workspace.claimName": {
    shows: "the volume of the live pod",
    check: async (builds) => {
      const claims = (await builds.claimed()).pod.spec?.volumes?.map((volume) => volume.persistentVolumeClaim);
      expect(claims).toContainEqual(expect.objectContaining({ claimName: "of-the-user" }));
    },
  },
  "workspace.size": {
    shows: "the live claim",
    check: async (builds) =>
      expect((await builds.workspace()).claim?.spec?.resources?.requests).toEqual({ storage: workspaceOptions.size }),
  },
  "workspace.storageClass": {
    shows: "that there is no workspace of a class that there is not",
    check: async ({ trials }) => {
      const workspace = { name: "of-no-class", storageClass: "no-such-class" };
      const error = await trials.fail(`${trials.from}RUN echo\n`, { driver: { workspace } });
      expect(error).toMatchObject({ code: "UNSCHEDULABLE" });
      expect(error.message).toMatch(/PersistentVolumeClaim/);
    },
  },
  "workspace.accessMode": {
    shows: "whether the live pod has to be on the node of the workspace",
    check: async (builds) => {
      expect((await builds.workspace()).pod.spec?.affinity?.podAffinity).toBeDefined();
      expect((await builds.claimed()).pod.spec?.affinity?.podAffinity).toBeUndefined();
    },
  },
  "workspace.idleMs": {
    shows: "the command of the live pod that keeps contexts",
    check: async (builds) =>
      expect((await builds.workspace()).keeper?.spec?.containers[0]?.command?.at(-1)).toBe(
        String(workspaceOptions.idleMs / 1000),
      ),
  },
  "workspace.lifetimeMs": {
    shows: "the deadline of the live Job that keeps contexts",
    check: async (builds) =>
      expect((await builds.workspace()).keeperJob?.spec?.activeDeadlineSeconds).toBe(
        workspaceOptions.lifetimeMs / 1000,
      ),
  },
  "executor.version": { shows: "as executor", check: (builds) => driverRows.executor.check(builds) },
  "executor.flavour": {
    shows: "a flag that only this one has is handed on, and what another one says about it",
    check: async ({ trials }) => {
      const driver = { executor: { flavour: "osscontainertools" }, args: ["--image-format=oci"] } as const;
      const error = await trials.fail(`${trials.from}RUN echo\n`, { driver });
      expect(error.message).toMatch(/unknown flag: --image-format/);
    },
  },
  "additionalMounts.mountPath": {
    shows: "the live mount",
    check: async (builds) => expect(await mountAt(builds, "/some/secret")).toBeDefined(),
  },
  "additionalMounts.readOnly": {
    shows: "the live mount",
    check: async (builds) => {
      expect(await mountAt(builds, "/some/secret")).toMatchObject({ readOnly: true });
      expect((await mountAt(builds, "/some/config"))?.readOnly ?? false).toBe(false);
    },
  },
  "additionalMounts.subPath": {
    shows: "what a step reads there",
    check: async (builds) => expect(await lines(builds)).toContain("one: alone 440"),
  },
  "additionalMounts.secret": {
    shows: "what a step reads there: one key by another name, with its own mode, and no other key",
    check: async (builds) =>
      expect(await lines(builds)).toEqual(
        expect.arrayContaining(["keys: key renamed.json", "secret: a token 400", "one: alone 440"]),
      ),
  },
  "additionalMounts.configMap": {
    shows: "what a step reads there",
    check: async (builds) => expect(await lines(builds)).toContain("setting: of a map"),
  },
  ...mounted("secret", "name", "secret: a token 400"),
  ...mounted("secret", "defaultMode", "one: alone 440"),
  ...mounted("secret", "items", "keys: key renamed.json"),
  ...mounted("secret", "items.key", "secret: a token 400"),
  ...mounted("secret", "items.path", "keys: key renamed.json"),
  ...mounted("secret", "items.mode", "secret: a token 400"),
  ...mounted("configMap", "name", "setting: of a map"),
  ...mounted("configMap", "defaultMode", "map: of a map 404 444"),
  ...mounted("configMap", "items", "map: of a map 404 444"),
  ...mounted("configMap", "items.key", "map: of a map 404 444"),
  ...mounted("configMap", "items.path", "map: of a map 404 444"),
  ...mounted("configMap", "items.mode", "map: of a map 404 444"),
  "resources.requests": { shows: "as resources", check: (builds) => driverRows.resources.check(builds) },
  "resources.limits": { shows: "as resources", check: (builds) => driverRows.resources.check(builds) },
};
