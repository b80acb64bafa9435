import { randomBytes } from "node:crypto";
import { setTimeout as elapse } from "node:timers/promises";

import { diagnosePod, type Cluster, type Pod } from "@slipway/cluster";
import { BuilderError, type DriverCall } from "@slipway/core";

import { contextBroken, explainEnd } from "./build-failure.ts";
import { createBuild, disruptionOf, executorState, podOfBuild, removeOrTell } from "./build-objects.ts";
import type { BuildPlan, KanikoBuildRequest } from "./build-plan.ts";
import { attemptName, buildJob, executorContainer, helperContainer, type BuildFiles } from "./build-pod.ts";
import { ExecutorLog } from "./executor-log.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { contextArchive, sendContext } from "./send-context.ts";
import type { WorkspaceContext } from "./workspace-context.ts";

/** What a build is made of. */
export interface BuildSetup {
  readonly cluster: Cluster;
  readonly options: ResolvedKanikoDriverOptions;
  readonly request: KanikoBuildRequest;
  readonly plan: BuildPlan;
  readonly files: BuildFiles;
  readonly withHelper: boolean;
  /** The context, if it does not come through stdin. */
  readonly context?: WorkspaceContext | undefined;
}

/** The cluster gets a little longer than the caller, who then learns of the deadline as such. */
const deadlineSlackMs = 3000;
/** How long an executor has to end, or to go on with what it has, once the connection that its context came by is lost. */
const contextGraceMs = 10_000;
/** The log ends with its container; a connection that does not is not waited for. */
const logGraceMs = 5000;

/** What a build has in the cluster, from its Job to the end of its executor. */
export class RunningBuild {
  readonly #setup: BuildSetup;
  readonly #call: DriverCall;
  readonly #name: string;
  readonly #deadlineMs: number;
  readonly #log: ExecutorLog;
  readonly #streams = new AbortController();
  #startedMs = 0;
  #isMade = false;
  #isOver = false;
  #contextLoss: string | undefined;
  #pod: Pod | undefined;

  constructor(setup: BuildSetup, call: DriverCall) {
    this.#setup = setup;
    this.#call = call;
    this.#name = attemptName(setup.request.id, randomBytes(2).toString("hex"));
    this.#log = new ExecutorLog(call.emit, setup.plan.arguments.includes("--log-format=json") ? "json" : "color");
    const { deadlineMs } = setup.options;
    this.#deadlineMs =
      call.timeoutMs === undefined ? deadlineMs : Math.min(deadlineMs, call.timeoutMs + deadlineSlackMs);
  }

  /** Resolves with the pod's name when its executor waits for the context. */
  async start(): Promise<string> {
    const { cluster, options, request, plan, files, withHelper, context } = this.#setup;
    const { signal, emit } = this.#call;
    signal.throwIfAborted();
    this.#startedMs = Date.now();
    const { namespace } = cluster;
    const job = buildJob({
      ...{ namespace, name: this.#name, request, options, files, withHelper, context: context?.mount },
      ...{ arguments: plan.arguments, env: plan.env, withArchives: plan.archives.length > 0 },
      ...{ deadlineMs: this.#deadlineMs, nowMs: this.#startedMs },
    });
    this.#isMade = true;
    // Without the signal: what is made half could not be removed by its name.
    await createBuild(cluster, job, files, { signal: AbortSignal.timeout(options.startTimeoutMs) });
    signal.throwIfAborted();
    const { metadata } = await podOfBuild(cluster, this.#name, options.startTimeoutMs, { signal });
    const name = metadata?.name ?? "";
    emit({ type: "pod-phase", pod: name, phase: "pending" });
    this.#pod = await cluster.waitForPod({
      ...{ namespace, name, signal },
      ...{ timeoutMs: options.startTimeoutMs, graceMs: options.unschedulableGraceMs, createdAlong: [this.#name] },
      until: (pod) => (isStarted(pod, withHelper) ? pod : undefined),
    });
    const node = this.#pod.spec?.nodeName;
    emit({ type: "pod-phase", pod: name, phase: "running", ...(node === undefined ? {} : { node }) });
    return name;
  }

  /** Resolves with the digest of the image. Whatever fails first is the error. */
  async finish(allowed: Promise<unknown>): Promise<string> {
    const signal = AbortSignal.any([this.#call.signal, this.#streams.signal]);
    const ended = this.#untilEnded(signal);
    const logged = this.#followLog(signal).catch((error: unknown) => {
      if (!signal.aborted) this.#call.logger.debug("The log of a build was not followed to its end.", { error });
    });
    const failed = Promise.withResolvers<never>();
    // Each is waited for below, or not at all if another one has failed before.
    for (const promise of [ended, failed.promise]) promise.catch(() => undefined);
    const { context } = this.#setup;
    let sentBytes = context?.sentBytes ?? 0;
    const sending = context === undefined ? this.#send(signal, (bytes) => (sentBytes = bytes)) : Promise.resolve();
    for (const promise of [sending, allowed]) promise.catch((error: unknown) => failed.reject(error as Error));
    const end = await Promise.race([ended, failed.promise]);
    await Promise.race([logged, elapse(logGraceMs, undefined, { ref: false })]);
    return this.#conclude(end, sentBytes);
  }

  async #send(signal: AbortSignal, onSent: (bytes: number) => void): Promise<void> {
    const { cluster, request } = this.#setup;
    // The executor clones it itself.
    if (request.context.type === "git") return;
    const target = { namespace: cluster.namespace, pod: this.#podName(), container: executorContainer };
    const stream = await cluster.attach(target, { signal });
    const archive = contextArchive(request, signal);
    const lost = stream.status.then(
      () => undefined,
      (error: unknown) => error,
    );
    const sentBytes = await sendContext(stream, archive, this.#call.emit);
    onSent(sentBytes);
    const error = await lost;
    if (error === undefined || signal.aborted) return;
    const said = BuilderError.isInstance(error) ? error.message : "The connection has ended.";
    this.#contextLoss = said;
    // A connection that ended before it reached the executor has told it nothing: it waits for its context for as long as it lives.
    await elapse(contextGraceMs, undefined, { ref: false, signal });
    if (this.#log.hasContext) return;
    throw contextBroken({ namespace: cluster.namespace, pod: this.#podName(), sentBytes }, said);
  }

  async #followLog(signal: AbortSignal): Promise<void> {
    const { cluster } = this.#setup;
    const target = { namespace: cluster.namespace, pod: this.#podName(), container: executorContainer };
    for await (const { text, timestamp } of cluster.followLog(target, { signal })) {
      if (this.#isOver) return;
      this.#log.line(text, Date.parse(timestamp));
    }
  }

  /** Whether the executor has ended by itself, or its pod was taken from it. */
  async #untilEnded(signal: AbortSignal): Promise<Terminated> {
    const { cluster } = this.#setup;
    const { namespace } = cluster;
    const name = this.#podName();
    const lost = (pod: Pod | undefined): BuilderError => this.#lost(pod, name);
    return cluster.waitFor<Pod, Terminated>(
      { apiVersion: "v1", kind: "Pod", namespace },
      {
        ...{ fieldSelector: `metadata.name=${name}`, signal },
        until: async ([pod]) => {
          if (pod === undefined) throw lost(undefined);
          const disruption = await disruptionOf(cluster, pod, { signal });
          if (disruption !== undefined) throw this.#isPastDeadline() ? lost(pod) : disruption;
          this.#pod = pod;
          return executorState(pod)?.terminated;
        },
      },
    );
  }

  #conclude({ exitCode, reason, message }: Terminated, sentBytes: number): string {
    this.#isOver = true;
    const { cluster } = this.#setup;
    const log = this.#log.end(exitCode !== 0);
    const pod = this.#podName();
    this.#call.emit({ type: "pod-phase", pod, phase: exitCode === 0 ? "succeeded" : "failed" });
    const container = this.#pod?.spec?.containers.find(({ name }) => name === executorContainer);
    if (exitCode !== 0)
      throw explainEnd({
        ...{ namespace: cluster.namespace, pod, exitCode, reason, log, sentBytes, contextLoss: this.#contextLoss },
        ...{ memoryLimit: container?.resources?.limits?.["memory"] },
      });
    const digest = message?.trim() ?? "";
    if (/^sha256:[a-f\d]{64}$/.test(digest)) return digest;
    const thrown = `The executor in pod ${pod} ended well without the digest of the image`;
    throw new BuilderError({
      code: "INTERNAL",
      message: `${thrown}. Use an executor that has --digest-file.`,
      details: { thrown },
    });
  }

  #lost(pod: Pod | undefined, name: string): BuilderError {
    const { namespace } = this.#setup.cluster;
    if (this.#isPastDeadline())
      return new BuilderError({
        code: "TIMEOUT",
        message: `The build took longer than its deadline of ${this.#deadlineMs / 1000} s, and the cluster has ended it. Raise deadlineMs.`,
        details: { timeoutMs: this.#deadlineMs },
      });
    const diagnosis = diagnosePod(pod, [], { namespace, name });
    return new BuilderError({
      code: "POD_LOST",
      message: diagnosis?.message ?? `Pod ${namespace}/${name} is gone. Build again.`,
      details: { namespace, pod: name, events: [] },
    });
  }

  #isPastDeadline(): boolean {
    // The cluster counts from a whole second.
    return Date.now() - this.#startedMs >= this.#deadlineMs - 1500;
  }

  #podName(): string {
    return this.#pod?.metadata?.name ?? "";
  }

  /** Ends what is under way, and removes everything. */
  async remove(): Promise<void> {
    if (!this.#isOver) this.#log.end(true);
    this.#isOver = true;
    this.#streams.abort();
    if (this.#isMade) await removeOrTell(this.#setup.cluster, this.#name, this.#call);
  }
}

interface Terminated {
  readonly exitCode: number;
  readonly reason?: string;
  readonly message?: string;
}

/** Whether the executor runs, or has ended already, and the helper runs where there is one. */
function isStarted(pod: Pod, withHelper: boolean): boolean {
  const state = executorState(pod);
  if (state?.terminated !== undefined) return true;
  const isRunning = (name: string): boolean =>
    pod.status?.containerStatuses?.find((status) => status.name === name)?.state?.running !== undefined;
  return state?.running !== undefined && (!withHelper || isRunning(helperContainer));
}
