import { expect } from "vitest";

import { buildRows } from "./build-rows.ts";
import { driverRows, nestedRows } from "./driver-rows.ts";
import { usersOf, type OptionBuilds } from "./option-builds.ts";
import type { OptionRow } from "./option-row.ts";

/** An option of another tool, and what it is here. */
export interface PeerRow extends OptionRow {
  /** The option here that does the same, or why there is none. */
  readonly here: string;
}

/** Rows by the names that options have in the other tool. */
export type PeerRows = Readonly<Record<string, PeerRow>>;

type DriverName = keyof typeof driverRows;
type BuildName = keyof typeof buildRows;

/** The same as an option of the driver. */
function driver(name: DriverName): PeerRow {
  return { here: `\`${name}\``, shows: `as ${name}`, check: (builds) => driverRows[name].check(builds) };
}

/** The same as a key of an option of the driver. */
function nested(name: string): PeerRow {
  return { here: `\`${name}\``, shows: `as ${name}`, check: async (builds) => nestedRows[name]?.check(builds) };
}

/** The same as an option of the build. */
function build(name: BuildName, note = ""): PeerRow {
  const row = buildRows[name];
  const here = `\`${name}\` of the build${note === "" ? "" : `: ${note}`}`;
  return {
    here,
    shows: row.shows.startsWith("refused") ? row.shows : `as ${name}`,
    check: (builds) => row.check(builds),
  };
}

/** None of the driver's options: refused by its name. */
function notOfDriver(name: string, here: string): PeerRow {
  const check = (builds: OptionBuilds) => builds.unknown({ driver: { [name]: "x" } }, name);
  return { here, shows: "refused by its name", check };
}

/** None of a build's options: refused by its name. */
function notOfBuild(name: string, here: string): PeerRow {
  const check = (builds: OptionBuilds) => builds.unknown({ build: { [name]: "x" } }, name);
  return { here, shows: "refused by its name", check };
}

const withoutSecret: PeerRow = {
  here: "not needed: only credentials that the build's registries have are mounted, and none if there are none",
  shows: "the volumes of a live pod whose build has no credentials, at a registry that lets only its pod in",
  check: async (builds) => {
    const { pod, warnings, result, status } = await builds.identified();
    expect(JSON.stringify(pod.spec?.volumes)).not.toContain("docker-config");
    expect(warnings).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/can be pushed to .*the mount at \/kaniko\/\.docker/) as string,
        expect.stringMatching(`${result.image?.digest ?? "?"} as .*the mount at /kaniko/.docker`) as string,
      ]),
    );
    expect(status).toBe(200);
  },
};

const flags: PeerRow = {
  here: "`args`; what an option stands for is read as that option",
  shows: "as args, and as snapshotMode and verbosity, which are given as flags",
  check: async (builds) => {
    await driverRows.args.check(builds);
    await driverRows.snapshotMode.check(builds);
    await driverRows.verbosity.check(builds);
  },
};

/** DevSpace v4.0 to v6.3: `images.*.kaniko` with `kaniko.`, the image's own options without. */
export const devspaceRows: PeerRows = {
  image: build("tags"),
  tags: build("tags"),
  dockerfile: build("dockerfile"),
  context: build("context"),
  target: build("target"),
  network: build("network", "kaniko cannot, and DevSpace leaves it out without a word"),
  buildArgs: build("buildArgs"),
  "options.target": build("target"),
  "options.network": build("network", "kaniko cannot, and DevSpace leaves it out without a word"),
  "options.buildArgs": build("buildArgs"),
  entrypoint: notOfBuild("entrypoint", "none: write `ENTRYPOINT` into the Dockerfile, or `dockerfileInline`"),
  cmd: notOfBuild("cmd", "none: write `CMD` into the Dockerfile, or `dockerfileInline`"),
  appendDockerfileInstructions: build("dockerfileInline", "the text with the instructions at its end"),
  rebuildStrategy: build("skipIfPresent", "`always` is `false`; what is compared is always the context too"),
  skipPush: {
    here: '`outputs` of the build: `[{ type: "cache-only" }]`, or an archive',
    shows: "the arguments of the live executor, and that the registry has no such tag",
    check: async (builds) => {
      const { pod, result, tag } = await builds.unpushed();
      expect(pod.spec?.containers[0]?.args).toContain("--no-push");
      expect(result.steps.some(({ name }) => name === "RUN echo hello")).toBe(true);
      expect(await builds.kaniko.resolveDigest(tag)).toBeUndefined();
    },
  },
  createPullSecret: notOfDriver("createPullSecret", "none: each build has a Secret of its own, which goes with it"),
  injectRestartHelper: notOfBuild("injectRestartHelper", "none: no files are put into images"),
  "kaniko.cache": driver("cache"),
  "kaniko.snapshotMode": driver("snapshotMode"),
  "kaniko.insecure": driver("insecure"),
  "kaniko.image": driver("image"),
  "kaniko.initImage": nested("images.helper"),
  "kaniko.args": flags,
  "kaniko.flags": flags,
  "kaniko.command": driver("command"),
  "kaniko.namespace": driver("namespace"),
  "kaniko.pullSecret": driver("pullSecret"),
  "kaniko.skipPullSecretMount": withoutSecret,
  "kaniko.serviceAccount": driver("serviceAccount"),
  "kaniko.nodeSelector": driver("nodeSelector"),
  "kaniko.tolerations": driver("tolerations"),
  "kaniko.generateName": notOfDriver(
    "generateName",
    "none: names tell attempts apart; `labels` and `annotations` are yours",
  ),
  "kaniko.annotations": driver("annotations"),
  "kaniko.labels": driver("labels"),
  "kaniko.env": driver("env"),
  "kaniko.envFrom": driver("envFrom"),
  "kaniko.initEnv": driver("initEnv"),
  "kaniko.additionalMounts": driver("additionalMounts"),
  "kaniko.additionalMounts[].mountPath": nested("additionalMounts.mountPath"),
  "kaniko.additionalMounts[].readOnly": nested("additionalMounts.readOnly"),
  "kaniko.additionalMounts[].subPath": nested("additionalMounts.subPath"),
  "kaniko.additionalMounts[].secret": nested("additionalMounts.secret"),
  "kaniko.additionalMounts[].configMap": nested("additionalMounts.configMap"),
  "kaniko.resources": driver("resources"),
};

const ofWorkspace: PeerRow = {
  ...nested("workspace.podTemplate"),
  here: "`workspace.podTemplate`: the pod that keeps contexts is the only one besides those of builds",
};

/** Garden 0.12 to 0.14 in the mode `kaniko`: the provider's options, and with `spec.` those of a build action. */
export const gardenRows: PeerRows = {
  buildMode: { here: "`kanikoDriver()`", shows: "as namespace", check: (builds) => driverRows.namespace.check(builds) },
  utilImageRegistryDomain: nested("images.registry"),
  "deploymentRegistry.hostname": build("tags"),
  "deploymentRegistry.port": build("tags"),
  "deploymentRegistry.namespace": build("tags"),
  "deploymentRegistry.insecure": nested("registries.http"),
  "imagePullSecrets[].name": driver("pullSecret"),
  "imagePullSecrets[].namespace": {
    here: "`credentials: [pullSecret({ name, namespace })]` of the builder",
    shows: "credentials of another namespace's secret in the live Secret of the build",
    check: async (builds) => {
      const users = usersOf(await builds.elsewhere());
      expect(users[builds.host]).toBe("of-elsewhere:password");
    },
  },
  "copySecrets[].name": notOfDriver("copySecrets", "none: Garden copies these for workloads, not for builds"),
  "copySecrets[].namespace": notOfDriver("copySecrets", "none: Garden copies these for workloads, not for builds"),
  "kaniko.image": driver("image"),
  "kaniko.extraFlags": flags,
  "kaniko.namespace": driver("namespace"),
  "kaniko.nodeSelector": driver("nodeSelector"),
  "kaniko.tolerations": driver("tolerations"),
  "kaniko.annotations": driver("annotations"),
  "kaniko.serviceAccountAnnotations": notOfDriver(
    "serviceAccountAnnotations",
    "none: annotate the account that `serviceAccount` names; no account is made",
  ),
  "kaniko.util.tolerations": ofWorkspace,
  "kaniko.util.annotations": ofWorkspace,
  "kaniko.util.nodeSelector": ofWorkspace,
  "resources.builder.limits": nested("resources.limits"),
  "resources.builder.requests": nested("resources.requests"),
  "resources.util": ofWorkspace,
  "resources.sync": ofWorkspace,
  "jib.pushViaCluster": notOfDriver("jib", "none: images of Jib are not built here"),
  gardenSystemNamespace: notOfDriver("gardenSystemNamespace", "none: nothing runs outside of `namespace`"),
  systemNodeSelector: notOfDriver("systemNodeSelector", "none: no services of the system are made"),
  dockerBuildExtraFlags: notOfDriver("dockerBuildExtraFlags", "none: flags of docker; `args` has those of kaniko"),
  namespace: driver("namespace"),
  kubeconfig: driver("kubeconfig"),
  context: driver("context"),
  kubectlPath: notOfDriver("kubectlPath", "none: no program of this machine is run"),
  timeout: driver("deadlineMs"),
  include: notOfBuild("include", "none: `.dockerignore` says what the context is"),
  exclude: notOfBuild("exclude", "none: `.dockerignore` says what the context is"),
  buildAtSource: notOfBuild("buildAtSource", "none: the context is always read where it is"),
  "copyFrom[].build": notOfBuild("copyFrom", "none: `COPY --from` an image that the other build has pushed"),
  "copyFrom[].sourcePath": notOfBuild("copyFrom", "none: `COPY --from` has it"),
  "copyFrom[].targetPath": notOfBuild("copyFrom", "none: `COPY --from` has it"),
  allowPublish: notOfBuild("allowPublish", "none: a build pushes to its `tags` and nowhere else"),
  "spec.dockerfile": build("dockerfile"),
  "spec.buildArgs": build("buildArgs"),
  "spec.extraFlags": flags,
  "spec.platforms": build("platforms"),
  "spec.secrets": build("secrets", "kaniko cannot"),
  "spec.targetStage": build("target"),
  "spec.localId": build("tags"),
  "spec.publishId": build("tags"),
};
