import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { Job, PersistentVolumeClaim, Pod, Secret } from "@slipway/cluster";
import { createBuilder, type BuildOptions, type BuildResult, type BuilderError, type Feature } from "slipway";
import { kanikoDriver, type KanikoDriverOptions, type KanikoWorkspace } from "slipway/kaniko";
import { pullSecret } from "slipway/secrets";
import { expect } from "vitest";

import { createContextFolder } from "../../support/context-folder.ts";
import { observeBuild } from "../../support/observed-build.ts";
import { deployRegistry } from "../../support/registries/deploy-registry.ts";
import { manifestStatus } from "../../support/registries/registry-access.ts";
import { createTestNamespace } from "../../support/test-namespace.ts";
import type { KanikoNamespace } from "../kaniko-namespace.ts";
import { KanikoTrials, type Trial, type TrialOptions } from "../kaniko-trial.ts";

/** A build, and its live objects. */
export interface LiveBuild extends Trial {
  readonly pod: Pod;
  readonly job: Job | undefined;
  readonly secret: Secret | undefined;
}

const term = { matchExpressions: [{ key: "kubernetes.io/os", operator: "In", values: ["linux"] }] };

/** What {@link OptionBuilds.pod} is asked for, as far as it does not depend on the cluster. */
export const podOptions = {
  annotations: { a: "b" },
  labels: { team: "c" },
  resources: { requests: { cpu: "50m", memory: "64Mi" }, limits: { memory: "1Gi" } },
  tolerations: [{ key: "builds", operator: "Exists" }],
  affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } },
  serviceAccount: "kaniko-builder",
  env: { HELLO: "world" },
  envFrom: { TOKEN: { secretKeyRef: { name: "extra", key: "token.json" } } },
  initEnv: { BESIDE: "the executor" },
  command: ["/kaniko/executor"],
  podTemplate: { spec: { hostname: "builder" } },
  pullSecret: "regcred",
  deadlineMs: 300_000,
  additionalMounts: [
    {
      mountPath: "/some/secret",
      secret: { name: "extra", items: [{ key: "token.json", path: "renamed.json", mode: 0o400 }] },
    },
    { mountPath: "/some/config", readOnly: false, configMap: { name: "settings" } },
    { mountPath: "/some/one", subPath: "other", secret: { name: "extra", defaultMode: 0o440 } },
    {
      mountPath: "/some/map",
      configMap: {
        name: "settings",
        defaultMode: 0o444,
        items: [
          { key: "key", path: "below/renamed", mode: 0o404 },
          { key: "key", path: "same" },
        ],
      },
    },
  ],
} as const satisfies KanikoDriverOptions;

/** What {@link OptionBuilds.workspace} is asked for, but for its pod. */
export const workspaceOptions = {
  name: "options",
  size: "64Mi",
  idleMs: 900_000,
  lifetimeMs: 7_200_000,
} as const satisfies KanikoWorkspace;

/** Whom a registry knows, and no build. */
const resident = { name: "nobody", password: "here" };

/** For the pod of a workspace. */
export const keeperTemplate = {
  metadata: { annotations: { keeps: "contexts" } },
  spec: {
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ key: "contexts", operator: "Exists" }],
    containers: [{ name: "workspace", resources: { limits: { memory: "128Mi" } } }],
  },
};

const look = [
  'echo "keys: $(ls /some/config) $(ls /some/secret)"',
  'echo "secret: $(cat /some/secret/renamed.json) $(stat -L -c %a /some/secret/renamed.json)"',
  'echo "setting: $(cat /some/config/key)"',
  'echo "map: $(cat /some/map/below/renamed) $(cd /some/map && stat -L -c %a below/renamed same | xargs)"',
  'echo "one: $(cat /some/one) $(stat -c %a /some/one)"',
].join(" && ");

/** An authority that signs nobody's certificate. */
const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/** A build from a workspace, and the live objects that the workspace is made of. */
export interface WorkspaceBuild extends LiveBuild {
  readonly keeper: Pod | undefined;
  readonly keeperJob: Job | undefined;
  readonly claim: PersistentVolumeClaim | undefined;
}

/** The builds that rows look at, each made once, when it is first asked for. */
export class OptionBuilds {
  readonly kaniko: KanikoNamespace;
  readonly trials: KanikoTrials;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(kaniko: KanikoNamespace) {
    this.kaniko = kaniko;
    this.trials = new KanikoTrials(kaniko);
  }

  /** Makes them all, a few at a time; what fails shows where it is looked at. */
  async prepare(): Promise<void> {
    const left: (() => Promise<unknown>)[] = [
      ...[() => this.cached(), () => this.steady(), () => this.pod(), () => this.options()],
      ...[() => this.loud(), () => this.plain(), () => this.inline(), () => this.workspace()],
      ...[() => this.mirrored(), () => this.skipped(), () => this.superseded(), () => this.claimed()],
      ...[() => this.refused(), () => this.missing()],
      ...[() => this.unpushed(), () => this.elsewhere(), () => this.identified()],
    ];
    const work = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await next().catch(() => undefined);
    };
    await Promise.all([work(), work(), work()]);
  }

  #once<Value>(name: string, make: () => Promise<Value>): Promise<Value> {
    const made = (this.#made.get(name) ?? make()) as Promise<Value>;
    this.#made.set(name, made);
    return made;
  }

  get host(): string {
    return this.kaniko.namespace.testCluster.registry.clusterHost;
  }

  get node(): string {
    return this.kaniko.namespace.testCluster.nodes[1] ?? "";
  }

  get repository(): string {
    return this.kaniko.namespace.repository;
  }

  /** A build with every option of the pod, and what the cluster made of it. */
  pod(): Promise<LiveBuild> {
    return this.#once("pod", async () => {
      await this.#createMounted();
      const cache = { ttl: "2h", copyLayers: true, runLayers: false, compressed: false, directory: "/base-images" };
      const other = { type: "basic", source: "another", username: "another", password: "x" } as const;
      return this.#live(`${this.trials.from}RUN ${look}\n`, {
        credentials: [{ resolve: () => Promise.resolve([other]) }],
        driver: {
          ...podOptions,
          nodeSelector: { "kubernetes.io/hostname": this.node },
          cache: { ...cache, enabled: true, repository: `${this.repository}/all-options` },
          registries: { [this.host]: { http: true }, "a.example.com": { insecure: true, ca } },
        },
      });
    });
  }

  async #createMounted(): Promise<void> {
    const { cluster } = this.kaniko.namespace;
    const auth = Buffer.from("somebody:password").toString("base64");
    const regcred = { "config.json": JSON.stringify({ auths: { [this.host]: { auth } } }) };
    const secret = (name: string, stringData: Record<string, string>): Secret => ({
      ...{ apiVersion: "v1", kind: "Secret", metadata: { name }, stringData },
    });
    await this.#createAccount();
    await cluster.create(secret("regcred", regcred));
    await cluster.create(secret("extra", { "token.json": "a token", other: "alone" }));
    const data = { key: "of a map" };
    await cluster.create({ ...{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data } });
  }

  #createAccount(): Promise<object> {
    const metadata = { name: podOptions.serviceAccount };
    const account = { apiVersion: "v1", kind: "ServiceAccount", metadata };
    return this.#once("account", () => this.kaniko.namespace.cluster.create(account));
  }

  async #live(dockerfile: string, options: TrialOptions): Promise<LiveBuild> {
    const { cluster } = this.kaniko.namespace;
    let live: Pick<LiveBuild, "pod" | "job" | "secret"> | undefined;
    const trial = await this.trials.succeed(dockerfile, {
      ...options,
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
  }

  /** A build with everything that a Dockerfile build can ask of kaniko. */
  options(): Promise<LiveBuild> {
    return this.#once("options", async () => {
      const { from } = this.trials;
      const dockerfile = `${from.trimEnd()} AS base\nARG A\nENV A=$A\nRUN echo of $A && cat /dev/null\n${from}RUN exit 9\n`;
      const tags = ["one", "two"].map((tag) => `${this.repository}/options:${tag}`);
      const build = {
        ...{ name: "my build", target: "base", buildArgs: { A: "two words" }, labels: { l: "m" }, tags },
        ...{ platforms: ["linux/amd64"], outputs: [{ type: "push" }], pull: true },
        ...{ dockerfile: "docker/app.Dockerfile" },
      } satisfies Partial<BuildOptions>;
      const kaniko = { cache: { directory: "/base-images" } };
      return this.#live("FROM nowhere\n", { build, kaniko, files: { "docker/app.Dockerfile": dockerfile } });
    });
  }

  /** Which of some builds of one Dockerfile took layers from the cache. */
  cached() {
    return this.#once("cached", async () => {
      const cache = { repository: `${this.repository}/layers`, ttl: "1h" };
      const dockerfile = `${this.trials.from}RUN echo ${Math.random()} > /a\n`;
      const isCached = async (options: TrialOptions): Promise<boolean> =>
        (await this.trials.succeed(dockerfile, options)).result.steps.some((step) => step.cached);
      const first = await isCached({ kaniko: { cache } });
      const [second, disabled, unwanted] = await Promise.all([
        isCached({ driver: { cache } }),
        isCached({ driver: { cache }, kaniko: { cache: { enabled: false } } }),
        isCached({ driver: { cache }, build: { noCache: true } }),
      ]);
      return { first, second, disabled, unwanted };
    });
  }

  /** Twice the same, so that what differs from run to run shows. */
  steady(): Promise<{ readonly first: BuildResult; readonly second: BuildResult }> {
    return this.#once("steady", async () => {
      const settings = { cache: { enabled: false }, singleSnapshot: true, reproducible: true };
      const dockerfile = `${this.trials.from}RUN echo a > /a\nRUN echo b > /b\n`;
      const { result: first } = await this.trials.succeed(dockerfile, { kaniko: settings });
      const { result: second } = await this.trials.succeed(dockerfile, { driver: settings });
      return { first, second };
    });
  }

  /** With flags, settings that show in the log, and an image from the map of images. */
  loud(): Promise<LiveBuild> {
    const { image, images } = this.kaniko.driverOptions;
    return this.#once("loud", () =>
      this.#live(`${this.trials.from}RUN echo a > /a\n`, {
        driver: {
          ...{ image: undefined, args: ["--verbosity", "debug", "--snapshotMode=time", "--ignore-path=/tmp/x"] },
          images: { ...images, kaniko: image, buildkit: "b.example.com/b:1", buildkitRootless: "b.example.com/r:1" },
        },
        kaniko: { useNewRun: true, cleanup: true, cache: { enabled: false } },
      }),
    );
  }

  /** An image from "Docker Hub" that only the mirror has, over connections that nobody checks, with the flags of an old executor. */
  plain(): Promise<LiveBuild> {
    return this.#once("plain", () =>
      this.#live("FROM base/busybox:1\nRUN echo hello\n", {
        driver: {
          ...{ registries: {}, insecure: true, skipTlsVerify: ["push"], registryMirrors: [this.host] },
          executor: { flavour: "google", version: "v0.23.0" },
          workspace: { enabled: false },
        },
      }),
    );
  }

  /** A Dockerfile from the options, pushed without being asked about before. */
  inline(): Promise<Trial> {
    return this.#once("inline", () =>
      this.trials.succeed("FROM nowhere\n", {
        build: { dockerfileInline: `${this.trials.from}RUN echo inline\n`, preflight: false },
      }),
    );
  }

  /** A context from a workspace, whose own pod is told apart. */
  workspace(): Promise<WorkspaceBuild> {
    return this.#once("workspace", async () => {
      await this.#createAccount();
      const { annotations, serviceAccount, initEnv } = podOptions;
      const build = await this.#live(`${this.trials.from}COPY Dockerfile /\nRUN cat /Dockerfile\n`, {
        driver: {
          ...{ annotations, serviceAccount, initEnv },
          workspace: { ...workspaceOptions, podTemplate: keeperTemplate },
        },
      });
      const { cluster } = this.kaniko.namespace;
      const of = { labelSelector: `slipway.dev/workspace=${workspaceOptions.name}` };
      const [pods, jobs, claims] = await Promise.all([
        cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, of),
        cluster.list<Job>({ apiVersion: "batch/v1", kind: "Job" }, of),
        cluster.list<PersistentVolumeClaim>({ apiVersion: "v1", kind: "PersistentVolumeClaim" }, of),
      ]);
      return { ...build, keeper: pods.items[0], keeperJob: jobs.items[0], claim: claims.items[0] };
    });
  }

  /** A context from a workspace on a claim that was there before, said to be one that every node can mount. */
  claimed(): Promise<LiveBuild> {
    return this.#once("claimed", async () => {
      await this.kaniko.namespace.cluster.create<PersistentVolumeClaim>({
        ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "of-the-user" } },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "64Mi" } } },
      });
      const workspace = { name: "claimed", claimName: "of-the-user", accessMode: "ReadWriteMany" } as const;
      return this.#live(`${this.trials.from}COPY Dockerfile /\nRUN echo hello\n`, { driver: { workspace } });
    });
  }

  /** The error of an executor that no node can have, from a registry that the map of images names. */
  mirrored(): Promise<BuilderError> {
    const podTemplate = { spec: { containers: [{ name: "executor", imagePullPolicy: "Never" }] } };
    const images = { ...this.kaniko.driverOptions.images, registry: "mirror.example.com/hub" };
    return this.#once("mirrored", () =>
      this.trials.fail(`${this.trials.from}RUN echo\n`, { driver: { image: undefined, images, podTemplate } }),
    );
  }

  /** A registry that lets nobody in whom a build knows. */
  #locked() {
    return this.#once("locked", async () => {
      const htpasswd = { [resident.name]: resident.password };
      const registry = await deployRegistry(this.kaniko.namespace, { auth: { htpasswd } });
      const registries = { ...this.kaniko.driverOptions.registries, [registry.host]: { http: true } };
      return { ...registry, registries };
    });
  }

  /** A build whose credentials its pod alone has, and what the registry has of it. */
  identified(): Promise<LiveBuild & { readonly status: number }> {
    return this.#once("identified", async () => {
      const { registries, ...registry } = await this.#locked();
      const auth = Buffer.from(`${resident.name}:${resident.password}`).toString("base64");
      await this.kaniko.namespace.cluster.create<Secret>({
        ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "identity" } },
        stringData: { "config.json": JSON.stringify({ auths: { [registry.host]: { auth } } }) },
      });
      const additionalMounts = [{ mountPath: "/kaniko/.docker", secret: { name: "identity" } }];
      const build = { tags: [`${registry.host}/identified:1`], noCache: true };
      const live = await this.#live(`${this.trials.from}RUN true\n`, {
        driver: { registries, additionalMounts },
        build,
      });
      return {
        ...live,
        status: await manifestStatus(registry, resident, { repository: "identified", reference: "1" }),
      };
    });
  }

  /** Builds for a registry that lets nobody push, with the question before and without. */
  refused() {
    return this.#once("refused", async () => {
      const { host, registries } = await this.#locked();
      const driver = { registries };
      const attempt = async (preflight: boolean) => {
        const build = { preflight, tags: [`${host}/refused:1`] };
        const { outcome, build: observed } = await this.trials.run(`${this.trials.from}RUN true\n`, { driver, build });
        return {
          outcome,
          phases: observed.events.flatMap((event) => (event.type === "pod-phase" ? [event.phase] : [])),
        };
      };
      return { asked: await attempt(true), unasked: await attempt(false) };
    });
  }

  /** Errors of builds for a registry that makes no repository by itself. */
  missing() {
    return this.#once("missing", async () => {
      const body = JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "no such repository" }] });
      await using server = createServer((request, response) => {
        const status = request.method === "POST" ? 404 : 200;
        response.writeHead(status, { "content-type": "application/json" }).end(status === 404 ? body : "{}");
      });
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const driver = { registries: { [host]: { http: true } } };
      const attempt = (createRepository: boolean) =>
        this.trials.fail("FROM scratch\n", { driver, build: { createRepository, tags: [`${host}/missing:1`] } });
      return { wanted: await attempt(true), unwanted: await attempt(false) };
    });
  }

  /** The same twice, the second time only if it is not there. */
  skipped(): Promise<readonly Trial[]> {
    const build = { skipIfPresent: true, tags: [`${this.repository}/skipped:1`] };
    const once = () => this.trials.succeed(`${this.trials.from}RUN echo skipped\n`, { build });
    return this.#once("skipped", async () => [await once(), await once()]);
  }

  /** A build that goes nowhere, though it has a tag. */
  unpushed(): Promise<LiveBuild & { readonly tag: string }> {
    return this.#once("unpushed", async () => {
      const tag = `${this.repository}/unpushed:1`;
      const build = { tags: [tag], outputs: [{ type: "cache-only" }] } satisfies Partial<BuildOptions>;
      return { ...(await this.#live(`${this.trials.from}RUN echo hello\n`, { build })), tag };
    });
  }

  /** A build with the credentials of a pull secret that another namespace has. */
  elsewhere(): Promise<LiveBuild> {
    return this.#once("elsewhere", async () => {
      await using other = await createTestNamespace();
      const auth = Buffer.from("of-elsewhere:password").toString("base64");
      const stringData = { ".dockerconfigjson": JSON.stringify({ auths: { [this.host]: { auth } } }) };
      const type = "kubernetes.io/dockerconfigjson";
      await other.cluster.create<Secret>({
        ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "shared" }, type, stringData },
      });
      const credentials = [pullSecret({ name: "shared", namespace: other.name })];
      return await this.#live(`${this.trials.from}RUN echo hello\n`, { credentials });
    });
  }

  /** A build that a later one of the same image takes the place of. */
  superseded(): Promise<{ readonly earlier: BuildResult | BuilderError; readonly later: BuildResult }> {
    return this.#once("superseded", async () => {
      const { from } = this.trials;
      await using folder = await createContextFolder({});
      await using builder = createBuilder({ driver: kanikoDriver(this.kaniko.driverOptions), concurrency: 2 });
      const tags = [`${this.repository}/superseded:1`];
      const options = {
        context: folder.path,
        tags,
        supersedes: "image",
        kaniko: { cache: { enabled: false } },
      } as const;
      await folder.write("Dockerfile", `${from}RUN sleep 600\n`);
      const run = builder.build(options);
      const earlier = observeBuild(run);
      await earlier.waitFor("step-log", ({ text }) => text.startsWith("Running: ["));
      await folder.write("Dockerfile", `${from}RUN echo later\n`);
      const later = await builder.build(options).result();
      const outcome = await earlier.outcome;
      if ((await this.kaniko.pods(run.id)).length > 0) throw new Error("The pod of the earlier build is still there.");
      return { earlier: outcome, later };
    });
  }

  async executor() {
    const { pod } = await this.pod();
    return pod.spec?.containers.find(({ name }) => name === "executor");
  }

  async helper() {
    const { pod } = await this.pod();
    return pod.spec?.containers.find(({ name }) => name === "helper");
  }

  /** The arguments of the live executor of {@link pod}. */
  async arguments(): Promise<readonly string[]> {
    return (await this.executor())?.args ?? [];
  }

  /** Asks for a feature that kaniko does not have: the error names it and says why. */
  async refusal(build: Partial<BuildOptions>, feature: Feature, reason: RegExp): Promise<void> {
    const error = await this.trials.fail(`${this.trials.from}RUN echo\n`, { build });
    expect(error).toMatchObject({ code: "UNSUPPORTED_FEATURE", details: { features: [feature] } });
    expect(error.message).toMatch(reason);
  }

  /** Asks for an option that there is not: the error names it. */
  async unknown(options: { readonly driver?: object; readonly build?: object }, name: string): Promise<void> {
    const trial = { build: options.build ?? {}, driver: options.driver ?? {} };
    const failing = async () => this.trials.fail(`${this.trials.from}RUN echo\n`, trial);
    const error: unknown = await failing().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "INVALID_OPTIONS", message: expect.stringContaining(`"${name}"`) as string });
  }
}

/** Who the live Secret of a build says it is, to each registry. */
export function usersOf({ secret }: LiveBuild): Readonly<Record<string, string>> {
  const config = Buffer.from(secret?.data?.["config.json"] ?? "", "base64").toString();
  const { auths } = JSON.parse(config) as { readonly auths: Readonly<Record<string, { readonly auth: string }>> };
  const users = Object.entries(auths).map(([host, { auth }]) => [host, Buffer.from(auth, "base64").toString()]);
  return Object.fromEntries(users) as Readonly<Record<string, string>>;
}

/** Whether a build's log has a line. */
export function says({ build }: Trial, pattern: RegExp): boolean {
  return build.events.some((event) => event.type === "step-log" && pattern.test(event.text));
}
