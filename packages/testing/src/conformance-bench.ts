import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder } from "@slipway/core";
import type {
  BaseBuilder,
  BuildCallOptions,
  BuildEvent,
  BuildOptions,
  BuildRun,
  BuilderDriver,
  BuilderOperations,
  CreateBuilderOptions,
} from "@slipway/core";

import { waitFor, within } from "./bounded-wait.ts";
import type { ConformanceDockerfiles, ConformanceHarness } from "./conformance-harness.ts";
import { DriverRecorder } from "./driver-recorder.ts";

let names = 0;

/** What one requirement works with: a fresh driver under observation, its builder, and contexts that are removed afterwards. */
export class ConformanceBench implements AsyncDisposable {
  readonly harness: ConformanceHarness;
  readonly driver: BuilderDriver;
  readonly recorder: DriverRecorder;
  readonly builder: BaseBuilder & Partial<BuilderOperations>;
  /** Every event of every build, and every line of the log. */
  readonly events: BuildEvent[] = [];
  readonly log: string[] = [];
  readonly #folders: string[] = [];

  private constructor(
    harness: ConformanceHarness,
    driver: BuilderDriver,
    options: Partial<CreateBuilderOptions<BuilderDriver>>,
  ) {
    const note = (message: string, fields?: object) => this.log.push(`${message} ${JSON.stringify(fields ?? {})}`);
    this.harness = harness;
    this.recorder = new DriverRecorder();
    this.driver = driver;
    this.builder = createBuilder({
      credentials: harness.credentials ?? [],
      logger: { debug: note, info: note, warn: note, error: note },
      onEvent: (event) => this.events.push(event),
      ...options,
      driver: this.recorder.watch(driver),
    });
  }

  static async create(
    harness: ConformanceHarness,
    options: Partial<CreateBuilderOptions<BuilderDriver>> = {},
  ): Promise<ConformanceBench> {
    return new ConformanceBench(harness, await harness.createDriver(), options);
  }

  get abortMs(): number {
    return this.harness.abortMs ?? 10_000;
  }

  get buildMs(): number {
    return this.harness.buildMs ?? 60_000;
  }

  /** Options of a build of one of the harness's Dockerfiles, in a context of its own. */
  async options(dockerfile: keyof ConformanceDockerfiles, further: Partial<BuildOptions> = {}): Promise<BuildOptions> {
    const text = this.harness.dockerfiles[dockerfile];
    if (text === undefined)
      throw new Error(`The harness has no Dockerfile "${dockerfile}", which a declared feature needs`);
    const context = await mkdtemp(join(tmpdir(), "slipway-conformance-"));
    this.#folders.push(context);
    await writeFile(join(context, "Dockerfile"), text);
    return { context, tags: [this.tag(dockerfile.toLowerCase())], ...this.harness.buildOptions, ...further };
  }

  /** A tag that nothing has been pushed to. */
  tag(what: string): string {
    return this.harness.tag(this.uniqueName(what));
  }

  /** As `tag`, in another repository; undefined if the harness has none. */
  otherTag(what: string): string | undefined {
    return this.harness.otherTag?.(this.uniqueName(what));
  }

  /** A name for a tag or a label that no run has given before: registries keep what earlier runs have pushed. */
  uniqueName(what: string): string {
    return `${what}-${process.pid}-${Date.now().toString(36)}-${names++}`;
  }

  /** Starts a build. */
  async build(
    dockerfile: keyof ConformanceDockerfiles,
    further: Partial<BuildOptions> = {},
    call: BuildCallOptions = {},
  ): Promise<BuildRun> {
    return this.builder.build(await this.options(dockerfile, further), call);
  }

  /** Waits until a build of the slow Dockerfile runs where builds run. */
  async inSlowStep(buildId: string): Promise<void> {
    await waitFor(async () => this.harness.isBuildAlive(buildId), this.buildMs, "the slow build to run");
  }

  /** Waits for a promise as long as a build may take. */
  ended<Value>(promise: Promise<Value>): Promise<Value> {
    return within(promise, this.buildMs, "the build to end");
  }

  /** Waits for a promise as long as a build may take to die. */
  stopped<Value>(promise: Promise<Value>): Promise<Value> {
    return within(promise, this.abortMs, "the build to die");
  }

  /** A driver that hangs must not keep the next requirement from its turn. */
  async [Symbol.asyncDispose](): Promise<void> {
    await within(this.builder.close(), this.abortMs, "the builder to close").catch(() => undefined);
    for (const folder of this.#folders) await rm(folder, { recursive: true, force: true });
  }
}
