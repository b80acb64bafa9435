import type { BuildEvent } from "./build-event.ts";
import { BuildQueue } from "./build-queue.ts";
import { createBuildRequest, unsupportedFeatures } from "./build-request.ts";
import type { BuildRun } from "./build-run.ts";
import { BuildRuns } from "./build-runs.ts";
import { doBuild, followBuild } from "./build-work.ts";
import type { BuildWork } from "./build-work.ts";
import type { BaseBuilder, BuilderOperations } from "./builder.ts";
import type { BuildRequest, BuilderDriver, DriverCall } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import {
  buildCallSchema,
  callSchema,
  findSchema,
  operationCallSchema,
  pruneOptionsSchema,
  publishOptionsSchema,
  pullableOptionsSchema,
  removeOptionsSchema,
} from "./builder-options.ts";
import type { ParsedBuilderOptions } from "./builder-options.ts";
import type { BuildInfo, BuilderStatus } from "./builder-status.ts";
import { abortedError, createCallScope } from "./call-scope.ts";
import { checkContexts } from "./context-check.ts";
import { EventJournal } from "./event-journal.ts";
import type { Feature } from "./feature.ts";
import { invalidOptions } from "./invalid-options.ts";
import { parseOptions } from "./parse-options.ts";
import type { Logger } from "./logger.ts";
import { withGate } from "./publish-gate.ts";
import { operations } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { OperationCalls, driverCall } from "./operation-calls.ts";
import type { CallServices, ParsedCall } from "./operation-calls.ts";
import { withoutUndefined } from "./without-undefined.ts";

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const closed = "the builder was closed";

type DriverMethod<Name extends Operation> = NonNullable<BuilderDriver[Name]>;

/** The builder of a driver: parses, queues, links signals, and turns what the driver does into runs and results. */
export class DrivenBuilder implements BaseBuilder, BuilderOperations {
  readonly #driver: BuilderDriver;
  readonly #retries: number;
  readonly #onEvent: ((event: BuildEvent) => void) | undefined;
  readonly #services: CallServices;
  readonly #queue: BuildQueue;
  readonly #calls: OperationCalls;
  readonly #runs = new BuildRuns();
  #closing: Promise<void> | undefined;

  constructor(options: ParsedBuilderOptions) {
    const { driver, credentials, logger = silent } = options;
    this.#driver = driver;
    this.#retries = options.retries;
    this.#onEvent = options.onEvent;
    this.#services = { driver: driver.name, credentials, logger };
    this.#queue = new BuildQueue(options.concurrency);
    this.#calls = new OperationCalls(this.#services);
  }

  build(options: unknown, call: unknown = {}): BuildRun {
    const id = crypto.randomUUID();
    try {
      const parsed = parseOptions(buildCallSchema, call, "the call of build");
      const { request, warnings } = createBuildRequest(options, id, this.#driver);
      const work = this.#startWork(id, `build "${request.name}"`, parsed);
      // Who has been stopped before it begins takes nobody's place.
      const overtakes = request.supersedes === "image" && !work.scope.signal.aborted;
      const overtaken = overtakes ? this.#runs.overtake(request.name, id) : [];
      const position = this.#queue.position(parsed.priority);
      const place = this.#queue.enter(parsed.priority);
      work.journal.publish("build-queue", { name: request.name, position });
      const outputs = request.outputs.map((output) => output.type);
      const build = () => doBuild(request, place, this.#retries, { ...work, overtaken, warnings });
      return this.#runs.track(work, { id, outputs, name: request.name, build });
    } catch (error) {
      const build = () => Promise.reject(BuilderError.from(error));
      return this.#runs.track(this.#startWork(id, "build", { credentials: [] }), { id, build });
    }
  }

  attach(buildId: string, call: unknown = {}): BuildRun {
    this.#method("attach");
    const parsed = parseOptions(callSchema, call, "the call of attach");
    const work = this.#startWork(buildId, `watch of build ${buildId}`, parsed);
    const kill = (reason: string | undefined) => this.#kill(buildId, reason);
    return this.#runs.track(work, { id: buildId, build: () => followBuild(buildId, work), kill });
  }

  async bootstrap(call: unknown = {}): Promise<BuilderStatus> {
    const parsed = parseOptions(operationCallSchema, call, "the call of bootstrap");
    return this.#run("bootstrap", parsed, async (services) => {
      await this.#driver.bootstrap?.(services);
      return this.#status(services);
    });
  }

  async status(call: unknown = {}): Promise<BuilderStatus> {
    return this.#run("status", parseOptions(callSchema, call, "the call of status"), (services) =>
      this.#status(services),
    );
  }

  async submit(options: unknown, call: unknown = {}): Promise<BuildInfo> {
    const submit = this.#method("submit");
    const parsed = parseOptions(operationCallSchema, call, "the call of submit");
    const { request, warnings } = createBuildRequest(options, crypto.randomUUID(), this.#driver);
    const { id, name, tags } = request;
    refuseToSubmit(request);
    return this.#run(`submission of build "${name}"`, parsed, async (services) => {
      const startedMs = Date.now();
      for (const message of warnings) services.emit({ type: "warning", message });
      await submit(await checkContexts(request), services);
      return { id, name, state: "running", tags, startedMs };
    });
  }

  async cancel(buildId: string, call: unknown = {}): Promise<void> {
    const cancel = this.#method("cancel");
    return this.#run("cancel", parseOptions(callSchema, call, "the call of cancel"), (services) =>
      cancel(buildId, services),
    );
  }

  async builds(call: unknown = {}): ReturnType<BuilderOperations["builds"]> {
    const builds = this.#method("builds");
    const all = await this.#run("builds", parseOptions(callSchema, call, "the call of builds"), (services) =>
      builds(services),
    );
    return all.toSorted((first, second) => second.startedMs - first.startedMs);
  }

  async prune(options: unknown = {}, call: unknown = {}): ReturnType<BuilderOperations["prune"]> {
    const prune = this.#method("prune");
    const parsed = parseOptions(callSchema, call, "the call of prune");
    const what = withoutUndefined(parseOptions(pruneOptionsSchema, options, "prune"));
    return this.#run("prune", parsed, (services) => prune(what, services));
  }

  async diskUsage(call: unknown = {}): ReturnType<BuilderOperations["diskUsage"]> {
    const diskUsage = this.#method("diskUsage");
    return this.#run("diskUsage", parseOptions(callSchema, call, "the call of diskUsage"), (services) =>
      diskUsage(services),
    );
  }

  async publish(options: unknown, call: unknown = {}): ReturnType<BuilderOperations["publish"]> {
    const publish = this.#method("publish");
    const parsed = parseOptions(operationCallSchema, call, "the call of publish");
    const what = withGate(withoutUndefined(parseOptions(publishOptionsSchema, options, "publish")));
    return this.#run("publish", parsed, (services) => publish(what, services));
  }

  async find(reference: unknown, options: unknown = {}, call: unknown = {}): ReturnType<BuilderOperations["find"]> {
    const find = this.#method("find");
    const parsed = parseOptions(callSchema, call, "the call of find");
    const query = parseOptions(findSchema, { ...(options as object), reference }, "find");
    return this.#run("find", parsed, (services) => find(query, services));
  }

  async ensurePullable(options: unknown, call: unknown = {}): ReturnType<BuilderOperations["ensurePullable"]> {
    const ensurePullable = this.#method("ensurePullable");
    const parsed = parseOptions(operationCallSchema, call, "the call of ensurePullable");
    const what = withoutUndefined(parseOptions(pullableOptionsSchema, options, "ensurePullable"));
    return this.#run("ensurePullable", parsed, (services) => ensurePullable(what, services));
  }

  async stop(call: unknown = {}): Promise<void> {
    const stop = this.#method("stop");
    return this.#run("stop", parseOptions(callSchema, call, "the call of stop"), (services) => stop(services));
  }

  async remove(options: unknown = {}, call: unknown = {}): Promise<void> {
    const remove = this.#method("remove");
    const parsed = parseOptions(callSchema, call, "the call of remove");
    const what = parseOptions(removeOptionsSchema, options, "remove");
    return this.#run("remove", parsed, (services) => remove(what, services));
  }

  supports(feature: Feature): boolean;
  supports<Name extends Operation>(operation: Name): this is this & Pick<BuilderOperations, Name>;
  supports(asked: Feature | Operation): boolean {
    const operation = operations.find((name) => name === asked);
    if (operation !== undefined) return typeof this.#driver[operation] === "function";
    return this.#driver.features.includes(asked as Feature);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A method of the driver, bound to it. @throws `UNSUPPORTED_FEATURE` if it has none */
  #method<Name extends Operation>(name: Name): DriverMethod<Name> {
    const method = this.#driver[name];
    if (typeof method !== "function") {
      const { name: driver, limitations } = this.#driver;
      throw unsupportedFeatures(driver, [name], limitations);
    }
    return method.bind(this.#driver) as DriverMethod<Name>;
  }

  async #status(services: DriverCall): Promise<BuilderStatus> {
    return (await this.#driver.status?.(services)) ?? { state: "running", nodes: [] };
  }

  #run<Result>(what: string, call: ParsedCall, work: (call: DriverCall) => Promise<Result>): Promise<Result> {
    if (this.#closing !== undefined) throw abortedError(what, closed);
    return this.#calls.run(what, call, work);
  }

  #kill(buildId: string, reason: string | undefined): Promise<void> {
    const cancel = this.#method("cancel");
    this.#services.logger.debug(`Canceling build ${buildId}: ${reason ?? "cancel was called"}`);
    return this.#run("cancel", { credentials: [] }, (services) => cancel(buildId, services));
  }

  #startWork(id: string, what: string, call: ParsedCall): BuildWork {
    const scope = createCallScope(what, call.signal, call.timeoutMs);
    if (this.#closing !== undefined) scope.abort(closed);
    const journal = new EventJournal(id, this.#services.logger, this.#onEvent);
    return {
      driver: this.#driver,
      scope,
      journal,
      driverCall: () => driverCall(this.#services, call, scope, journal.emit),
    };
  }

  async #close(): Promise<void> {
    await Promise.all([this.#runs.close(closed), this.#calls.close(closed)]);
    try {
      await this.#driver[Symbol.asyncDispose]?.();
    } catch (error) {
      throw BuilderError.from(error);
    }
  }
}

/** Both need somebody who is there while the build runs. */
function refuseToSubmit({ skipIfPresent, supersedes }: BuildRequest): void {
  const issues = [
    ...(skipIfPresent ? [{ path: "skipIfPresent", message: "Is for build; ask find before you submit" }] : []),
    ...(supersedes === undefined
      ? []
      : [{ path: "supersedes", message: "Is for build; cancel what you submitted before" }]),
  ];
  if (issues.length > 0) throw invalidOptions("submit", issues);
}
