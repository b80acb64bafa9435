import type { Job, Pod, Secret } from "@slipway/cluster";
import { requiredFeatures, type BuildOptions, type Feature } from "slipway";
import { kanikoDriver, type KanikoDriverOptions } from "slipway/kaniko";
import { afterAll, describe, expect, test } from "vitest";

import { kanikoDriverOptionsSchema } from "../../packages/kaniko-driver/src/kaniko-options.ts";
import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials, type Trial } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
afterAll(() => kaniko[Symbol.asyncDispose]());

const trials = new KanikoTrials(kaniko);
const { from } = trials;
const { cluster, testCluster, repository } = kaniko.namespace;
const host = testCluster.registry.clusterHost;

/** Does something once, when it is first asked for. */
function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

const term = { matchExpressions: [{ key: "kubernetes.io/os", operator: "In", values: ["linux"] }] };
const podOptions = {
  annotations: { a: "b" },
  labels: { team: "c" },
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "1Gi" } },
  nodeSelector: { "kubernetes.io/hostname": testCluster.nodes[1] ?? "" },
  tolerations: [{ key: "builds", operator: "Exists" }],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  serviceAccount: "kaniko-builder",
  env: { HELLO: "world" },
  command: ["/kaniko/executor"],
  podTemplate: { spec: { hostname: "builder" } },
  pullSecret: "regcred",
  deadlineMs: 300_000,
  additionalMounts: [
    {
      mountPath: "/some/secret",
      secret: { name: "extra", items: [{ key: "token.json", path: "renamed.json", mode: 0o400 }] },
    },
    { mountPath: "/some/config", configMap: { name: "settings" } },
  ],
} as const satisfies KanikoDriverOptions;

interface LiveBuild extends Trial {
  readonly pod: Pod;
  readonly job: Job | undefined;
  readonly secret: Secret | undefined;
}

/** A build with every option of the pod, and what the cluster made of it. */
const podBuild = once(async (): Promise<LiveBuild> => {
  const auth = Buffer.from("somebody:password").toString("base64");
  const regcred = { "config.json": JSON.stringify({ auths: { [host]: { auth } } }) };
  const secret = (name: string, stringData: Record<string, string>): Secret => ({
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData },
  });
  await cluster.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: podOptions.serviceAccount } });
  await cluster.create(secret("regcred", regcred));
  await cluster.create(secret("extra", { "token.json": "secret token", other: "x" }));
  const data = { key: "setting" };
  await cluster.create({ ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data } });
  let live: Pick<LiveBuild, "pod" | "job" | "secret"> | undefined;
  const look = "cd /some && ls secret config && cat secret/renamed.json config/key && ! touch config/x 2>/dev/null";
  const trial = await trials.succeed(`${from}RUN ${look}\n`, {
    driver: podOptions,
    whileRunning: async (pod) => {
      const name = pod.metadata?.labels?.["batch.kubernetes.io/job-name"] ?? "";
      live = {
        pod,
        job: await cluster.get<Job>({ apiVersion: "batch/v1", kind: "Job", name }),
        secret: await cluster.get<Secret>({ apiVersion: "v1", kind: "Secret", name }),
      };
    },
  });
  if (live === undefined) throw new Error("No pod was seen.");
  return { ...trial, ...live };
});

async function liveExecutor() {
  const { pod } = await podBuild();
  return pod.spec?.containers.find(({ name }) => name === "executor");
}

/** A build with everything that a Dockerfile build can ask of kaniko. */
const optionsBuild = once(async () => {
  const dockerfile = `${from.trimEnd()} AS base\nARG A\nENV A=$A\nRUN echo of $A && cat /dev/null\n${from}RUN exit 9\n`;
  const tags = ["one", "two"].map((tag) => `${repository}/options:${tag}`);
  const build = {
    ...{ name: "my build", target: "base", buildArgs: { A: "two words" }, labels: { l: "m" }, tags },
    ...{ platforms: ["linux/amd64"], outputs: [{ type: "push" }], pull: true, createRepository: true, preflight: true },
    dockerfile: "docker/app.Dockerfile",
  } satisfies Partial<BuildOptions>;
  return trials.succeed("FROM nowhere\n", { build, files: { "docker/app.Dockerfile": dockerfile } });
});

const cacheBuilds = once(async () => {
  const cache = { repository: `${repository}/layers`, ttl: "1h" };
  const dockerfile = `${from}RUN echo ${Math.random()} > /a\n`;
  const isCached = ({ result }: Trial): boolean => result.steps.some((step) => step.cached);
  return {
    first: isCached(await trials.succeed(dockerfile, { kaniko: { cache } })),
    second: isCached(await trials.succeed(dockerfile, { driver: { cache } })),
    disabled: isCached(await trials.succeed(dockerfile, { driver: { cache }, kaniko: { cache: { enabled: false } } })),
    unwanted: isCached(await trials.succeed(dockerfile, { driver: { cache }, build: { noCache: true } })),
  };
});

/** Twice the same, so that what differs from run to run shows. */
const steadyBuilds = once(async () => {
  const settings = { cache: { enabled: false }, singleSnapshot: true, reproducible: true };
  const dockerfile = `${from}RUN echo a > /a\nRUN echo b > /b\n`;
  const { result: first } = await trials.succeed(dockerfile, { kaniko: settings });
  const { result: second } = await trials.succeed(dockerfile, { driver: settings });
  return { first, second };
});

const loudBuild = once(() =>
  trials.succeed(`${from}RUN echo a > /a\n`, {
    driver: { args: ["--verbosity", "debug", "--snapshotMode=time"] },
    kaniko: { useNewRun: true, cleanup: true, cache: { enabled: false } },
  }),
);

const says = ({ build }: Trial, pattern: RegExp): boolean =>
  build.events.some((event) => event.type === "step-log" && pattern.test(event.text));

/** An image from "Docker Hub" that only the mirror has, over connections that nobody checks. */
const plainBuild = once(() =>
  trials.succeed("FROM base/busybox:1\nRUN echo hello\n", {
    driver: { registries: {}, insecure: true, skipTlsVerify: ["push"], registryMirrors: [host] },
  }),
);

async function refusal(build: Partial<BuildOptions>, feature: Feature): Promise<void> {
  const error = await trials.fail(`${from}RUN echo\n`, { build });
  expect(error).toMatchObject({ code: "UNSUPPORTED_FEATURE", details: { features: [feature] } });
}

const driverRows: Readonly<Record<keyof KanikoDriverOptions, () => Promise<void>>> = {
  kubeconfig: async () => {
    const error = await trials.fail(`${from}RUN echo\n`, { driver: { kubeconfig: "/no/such/file" } });
    expect(error).toMatchObject({ code: "KUBECONFIG_INVALID", details: { path: "/no/such/file" } });
  },
  context: async () => {
    const error = await trials.fail(`${from}RUN echo\n`, { driver: { context: "nowhere" } });
    expect(error).toMatchObject({ code: "KUBECONFIG_INVALID", details: { context: "nowhere" } });
  },
  namespace: async () => expect((await podBuild()).pod.metadata?.namespace).toBe(kaniko.namespace.name),
  image: async () => expect((await liveExecutor())?.image).toBe(kaniko.driverOptions.image),
  executor: async () => {
    const driver: KanikoDriverOptions = { executor: { version: "v1.3.0" } };
    let args: readonly string[] = [];
    await trials.succeed(`${from}RUN echo\n`, {
      driver,
      whileRunning: (pod) => Promise.resolve(void (args = pod.spec?.containers[0]?.args ?? [])),
    });
    expect(args).toContain("--push-retry=2");
    expect(args).not.toContain("--image-download-retry=2");
  },
  images: async () => {
    const helper = (await podBuild()).pod.spec?.containers.find(({ name }) => name === "helper");
    expect(helper?.image).toBe(kaniko.driverOptions.images?.helper);
  },
  registries: async () => expect((await podBuild()).warnings[0]).toContain(`plain HTTP to ${host}`),
  insecure: async () => expect((await plainBuild()).warnings[0]).toContain("plain HTTP to every registry"),
  skipTlsVerify: async () => expect((await plainBuild()).warnings[0]).toContain("certificate check of every registry"),
  registryMirrors: async () => expect(says(await plainBuild(), /from mapped registry/)).toBe(true),
  pullSecret: async () => {
    const { secret } = await podBuild();
    const config = Buffer.from(secret?.data?.["config.json"] ?? "", "base64").toString();
    expect(Object.keys((JSON.parse(config) as { auths: object }).auths)).toContain(host);
  },
  additionalMounts: async () =>
    expect((await podBuild()).output).toBe("config:\nkey\n\nsecret:\nrenamed.json\nsecret tokensetting\n"),
  resources: async () => expect((await liveExecutor())?.resources).toMatchObject(podOptions.resources),
  nodeSelector: async () => expect((await podBuild()).pod.spec?.nodeName).toBe(testCluster.nodes[1]),
  tolerations: async () => {
    const tolerations = podOptions.tolerations.map((toleration) => expect.objectContaining(toleration) as unknown);
    expect((await podBuild()).pod.spec?.tolerations).toEqual(expect.arrayContaining(tolerations));
  },
  affinity: async () => expect((await podBuild()).pod.spec?.affinity).toMatchObject(podOptions.affinity),
  annotations: async () => expect((await podBuild()).pod.metadata?.annotations).toMatchObject(podOptions.annotations),
  labels: async () => expect((await podBuild()).pod.metadata?.labels).toMatchObject(podOptions.labels),
  serviceAccount: async () => expect((await podBuild()).pod.spec?.serviceAccountName).toBe(podOptions.serviceAccount),
  env: async () => expect((await liveExecutor())?.env).toEqual([{ name: "HELLO", value: "world" }]),
  command: async () => expect((await liveExecutor())?.command).toEqual(podOptions.command),
  podTemplate: async () => expect((await podBuild()).pod.spec?.hostname).toBe("builder"),
  deadlineMs: async () => expect((await podBuild()).job?.spec?.activeDeadlineSeconds).toBe(300),
  startTimeoutMs: async () => {
    const podTemplate = { spec: { schedulingGates: [{ name: "example.com/never" }] } };
    const error = await trials.fail(`${from}RUN echo\n`, { driver: { podTemplate, startTimeoutMs: 2000 } });
    expect(error.code).toBe("TIMEOUT");
  },
  unschedulableGraceMs: async () => {
    const startedMs = performance.now();
    const driver = { nodeSelector: { nowhere: "true" }, unschedulableGraceMs: 500 };
    expect((await trials.fail(`${from}RUN echo\n`, { driver })).code).toBe("UNSCHEDULABLE");
    expect(performance.now() - startedMs).toBeLessThan(4500);
  },
  cache: async () => expect(await cacheBuilds()).toMatchObject({ first: false, second: true, disabled: false }),
  snapshotMode: async () =>
    expect(says(await loudBuild(), /Only file modification time will be considered/)).toBe(true),
  useNewRun: async () => expect(says(await loudBuild(), /Using new RunMarker command/i)).toBe(true),
  singleSnapshot: async () => {
    const { rootfs } = await trials.configOf((await steadyBuilds()).first);
    const base = await trials.configOf((await optionsBuild()).result);
    expect(rootfs.diff_ids).toHaveLength(base.rootfs.diff_ids.length + 1);
  },
  reproducible: async () => {
    const { first, second } = await steadyBuilds();
    expect(first.image?.digest).toBe(second.image?.digest);
  },
  cleanup: async () => expect(says(await loudBuild(), /Deleting filesystem/)).toBe(true),
  verbosity: async () => expect(says(await loudBuild(), /Getting source context/)).toBe(true),
  args: () => {
    expect(() => kanikoDriver({ args: ["--snapshoteMode=redo"] })).toThrow(/did you mean --snapshot-mode\?/);
    return Promise.resolve();
  },
  allowUnknownFlags: async () => {
    const kanikoOptions = { args: ["--brand-new=1"], allowUnknownFlags: true };
    const error = await trials.fail(`${from}RUN echo\n`, { kaniko: kanikoOptions });
    expect(error.message).toMatch(/unknown flag: --brand-new/);
  },
};

const buildRows: Readonly<Record<keyof BuildOptions, () => Promise<void>>> = {
  name: async () => {
    const [queued] = (await optionsBuild()).build.events;
    expect(queued).toMatchObject({ type: "build-queue", name: "my build" });
  },
  context: async () => expect((await optionsBuild()).result.context.files).toBe(4),
  contexts: () => refusal({ contexts: { other: "." } }, "contexts"),
  dockerfile: async () => expect((await optionsBuild()).output).toBe("of two words\n"),
  dockerfileInline: async () => {
    const { output } = await trials.succeed("FROM nowhere\n", {
      build: { dockerfileInline: `${from}RUN echo inline\n` },
    });
    expect(output).toBe("inline\n");
  },
  target: async () => expect((await optionsBuild()).result.steps.some(({ name }) => name === "RUN exit 9")).toBe(false),
  buildArgs: async () =>
    expect((await trials.configOf((await optionsBuild()).result)).config.Env).toContain("A=two words"),
  labels: async () => expect((await trials.configOf((await optionsBuild()).result)).config.Labels).toEqual({ l: "m" }),
  annotations: () => refusal({ annotations: { a: "b" } }, "annotations"),
  tags: async () => {
    const { image } = (await optionsBuild()).result;
    for (const tag of image?.tags ?? []) expect(await kaniko.resolveDigest(tag)).toBe(image?.digest);
    expect(image?.tags).toHaveLength(2);
  },
  platforms: async () => {
    expect((await optionsBuild()).result.image?.platforms).toMatchObject([{ platform: "linux/amd64" }]);
    await refusal({ platforms: ["linux/amd64", "linux/arm64"] }, "platforms:many");
  },
  secrets: () => refusal({ secrets: { token: { value: "x" } } }, "secrets"),
  ssh: () => refusal({ ssh: { default: {} } }, "ssh"),
  cacheFrom: () => refusal({ cacheFrom: [`${repository}/cache`] }, "cacheFrom:registry"),
  cacheTo: () => refusal({ cacheTo: [`${repository}/cache`] }, "cacheTo:registry"),
  noCache: async () => expect(await cacheBuilds()).toMatchObject({ second: true, unwanted: false }),
  pull: async () => expect(says(await optionsBuild(), /^Retrieving image .* from registry/)).toBe(true),
  outputs: async () => {
    expect((await optionsBuild()).result.image?.reference).toMatch(/@sha256:/);
    await refusal({ outputs: [{ type: "cache-only" }] }, "outputs:cache-only");
  },
  preflight: async () => {
    const build = { preflight: false };
    expect((await trials.succeed(`${from}RUN echo\n`, { build })).result.image?.digest).toMatch(/^sha256:/);
  },
  createRepository: async () => expect((await optionsBuild()).result.image?.tags).toHaveLength(2),
  network: () => refusal({ network: "host" }, "network"),
  addHosts: () => refusal({ addHosts: { "example.test": "192.0.2.1" } }, "addHosts"),
  shmSizeBytes: () => refusal({ shmSizeBytes: 1_048_576 }, "shmSizeBytes"),
  ulimits: () => refusal({ ulimits: { nofile: { soft: 1, hard: 1 } } }, "ulimits"),
  provenance: () => refusal({ provenance: true }, "provenance"),
  sbom: () => refusal({ sbom: true }, "sbom"),
};

describe("options", () => {
  test.each(Object.entries(driverRows))("OPT-%s: shows in the live object or in the effect", (_key, check) => check());

  test.each(Object.entries(buildRows))("OPT-build.%s: shows in the effect, or is refused", (_key, check) => check());

  test("OPT-*: every key of the driver's and the build's options has a row", () => {
    expect(Object.keys(driverRows).sort()).toEqual(Object.keys(kanikoDriverOptionsSchema.shape).sort());
    expect(Object.keys(buildRows).sort()).toEqual(Object.keys(requiredFeatures).sort());
  });
});
