import type { Pod } from "@slipway/cluster";
import { createBuilder, type BuildOptions, type BuildResult, type BuilderError, type Keychain } from "slipway";
import { kanikoDriver, type KanikoBuildOptions, type KanikoDriverOptions } from "slipway/kaniko";

import { createContextFolder, type ContextFolder } from "../support/context-folder.ts";
import { observeBuild, resultOf, type ObservedBuild } from "../support/observed-build.ts";
import { buildIdLabel, type KanikoNamespace } from "./kaniko-namespace.ts";

/** One build with some options of its own. */
export interface TrialOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** A context that outlives the build, in place of `files`; it gets the Dockerfile. */
  readonly folder?: ContextFolder;
  readonly driver?: KanikoDriverOptions;
  readonly build?: Partial<BuildOptions>;
  readonly kaniko?: KanikoBuildOptions;
  readonly credentials?: readonly Keychain[];
  /** Called while the build begins. */
  readonly onStart?: (build: ObservedBuild) => Promise<void>;
  /** Called once the pod of the build runs. */
  readonly whileRunning?: (pod: Pod, build: ObservedBuild) => Promise<void>;
}

/** What a build was seen to do. */
export interface Trial {
  readonly build: ObservedBuild;
  readonly result: BuildResult;
  /** What its steps have printed. */
  readonly output: string;
  readonly warnings: readonly string[];
}

/** The parts of an image's configuration that tests look at. */
export interface ImageConfig {
  readonly config: { readonly Labels?: Readonly<Record<string, string>>; readonly Env?: readonly string[] };
  readonly rootfs: { readonly diff_ids: readonly string[] };
}

/** Pods that a build leaves have this long to go. */
const leftOver = (buildId: string) => ({ labelSelector: `${buildIdLabel}=${buildId}`, timeoutMs: 20_000 });

/** Builds with kaniko, each time with a context of its own, and makes sure that nothing of a build is left. */
export class KanikoTrials {
  readonly #kaniko: KanikoNamespace;
  /** First line of a Dockerfile. */
  readonly from: string;
  #count = 0;

  constructor(kaniko: KanikoNamespace) {
    this.#kaniko = kaniko;
    this.from = `FROM ${kaniko.namespace.testCluster.bases.busybox}\n`;
  }

  async run(dockerfile: string, options: TrialOptions = {}) {
    const { namespace, driverOptions } = this.#kaniko;
    await using own =
      options.folder === undefined
        ? await createContextFolder({ Dockerfile: dockerfile, ...options.files })
        : undefined;
    const folder = options.folder ?? own;
    await options.folder?.write("Dockerfile", dockerfile);
    await using builder = createBuilder({
      driver: kanikoDriver({ ...driverOptions, ...options.driver }),
      credentials: options.credentials ?? [],
    });
    const tag = `${namespace.repository}/trial:${++this.#count}`;
    const run = builder.build({
      context: folder?.path ?? "",
      tags: [tag],
      kaniko: options.kaniko ?? {},
      ...options.build,
    });
    const build = observeBuild(run);
    await options.onStart?.(build);
    if (options.whileRunning !== undefined) {
      await build.waitFor("pod-phase", ({ phase }) => phase === "running");
      const [pod] = await this.#kaniko.pods(run.id);
      if (pod === undefined) throw new Error("The build has no pod.");
      await options.whileRunning(pod, build);
    }
    const outcome = await build.outcome;
    await namespace.cluster.waitFor<Pod, true>(
      { apiVersion: "v1", kind: "Pod" },
      { ...leftOver(run.id), until: (pods) => (pods.length === 0 ? true : undefined) },
    );
    return { build, outcome };
  }

  async succeed(dockerfile: string, options: TrialOptions = {}): Promise<Trial> {
    const { build, outcome } = await this.run(dockerfile, options);
    const { events } = build;
    const printed = events.flatMap((event) =>
      event.type === "step-log" && event.stream === "stdout" ? [event.text] : [],
    );
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    return { build, warnings, output: printed.join(""), result: await resultOf({ outcome }) };
  }

  async fail(dockerfile: string, options: TrialOptions = {}): Promise<BuilderError> {
    const { outcome } = await this.run(dockerfile, options);
    if (!("code" in outcome)) throw new Error("The build succeeded.");
    return outcome;
  }

  /** The configuration of an image, as the registry has it. */
  async configOf({ image }: BuildResult): Promise<ImageConfig> {
    const [, registry = "", repository = "", digest = ""] = /^([^/]+)\/(.*)@(.*)$/.exec(image?.reference ?? "") ?? [];
    const read = async <Content>(path: string): Promise<Content> =>
      JSON.parse(String(await this.#kaniko.registryContent(registry, `${repository}/${path}`))) as Content;
    const { config } = await read<{ config: { digest: string } }>(`manifests/${digest}`);
    return read<ImageConfig>(`blobs/${config.digest}`);
  }
}
