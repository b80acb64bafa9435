import { randomBytes } from "node:crypto";

import { diagnosePod, type Cluster, type ExecStream, type Pod } from "@slipway/cluster";
import { BuilderError, type DriverBuildResult, type DriverCall, type Keychain } from "@slipway/core";
import { parseImageReference } from "@slipway/registry-client";

import { explainEnd } from "./build-failure.ts";
import { createBuild, disruptionOf, executorState, podOfBuild, removeBuild } from "./build-objects.ts";
import { planBuild, type BuildPlan, type KanikoBuildRequest } from "./build-plan.ts";
import { buildJob, attemptName, executorContainer, type BuildFiles } from "./build-pod.ts";
import { BuildRegistries, isClusterName, mayPush, writtenRepositories } from "./build-registries.ts";
import { ExecutorLog } from "./executor-log.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";
import { keychainCall } from "./keychain-call.ts";
import { contextArchive, sendContext } from "./send-context.ts";
import { verifyPushed } from "./verify-pushed.ts";

/** Builds in a pod of its own, which is gone when this returns or throws. */
export async function buildImage(
  cluster: Cluster,
  options: ResolvedKanikoDriverOptions,
  request: KanikoBuildRequest,
  call: DriverCall,
): Promise<DriverBuildResult> {
  const plan = await planBuild(request, options);
  for (const message of plan.warnings) call.emit({ type: "warning", message });
  const keys = keychainCall(cluster, call);
  const credentials = await buildKeychain(options, call.credentials);
  const access = { options, credentials, keychainCall: keys };
  await using direct = new BuildRegistries(access);
  const inside = await registriesInside(direct, request, plan, call.signal);
  const files = { dockerConfig: await dockerConfig(credentials, plan, keys), files: plan.files };
  const build = new RunningBuild({ cluster, options, request, plan, files, withHelper: inside.size > 0 }, call);
  try {
    const pod = await build.start();
    await using within = new BuildRegistries(access, { cluster, name: pod });
    const checks = request.preflight
      ? writtenRepositories(plan.written).filter(({ registry }) => inside.has(registry))
      : [];
    const allowed = Promise.all(checks.map((repository) => mayPush(within, repository, request, call.signal)));
    allowed.catch(() => undefined);
    const digest = await build.finish(allowed);
    await verifyPushed(request.tags, digest, (registry) => (inside.has(registry) ? within : direct), call);
    return { digest };
  } finally {
    await build.remove();
  }
}

async function buildKeychain({ pullSecret: name }: ResolvedKanikoDriverOptions, chain: Keychain): Promise<Keychain> {
  const { createKeychain, pullSecret } = await import("@slipway/secret-merging");
  return name === undefined ? createKeychain(chain) : createKeychain(pullSecret({ name }), chain);
}

/** Credentials for exactly the registries of this build. */
async function dockerConfig(
  keychain: Keychain,
  { written, baseImages }: BuildPlan,
  keys: ReturnType<typeof keychainCall>,
): Promise<string | undefined> {
  const { kanikoDockerConfig } = await import("@slipway/secret-merging");
  const references = [...new Set([...written, ...baseImages])];
  const { config, warnings } = await kanikoDockerConfig({ keychain, references, actions: ["pull", "push"] }, keys);
  for (const warning of warnings) keys.warn?.(warning);
  const isEmpty = Object.keys(config.auths).length === 0 && config.credHelpers === undefined;
  return isEmpty ? undefined : JSON.stringify(config);
}

/** The registries that have to be asked from within the cluster; the others have let this build push, unless nobody wants to know. */
async function registriesInside(
  direct: BuildRegistries,
  request: KanikoBuildRequest,
  { written }: BuildPlan,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const inside = new Set(request.tags.map((tag) => parseImageReference(tag).registry).filter(isClusterName));
  const repositories = writtenRepositories(written).filter(({ registry }) => !isClusterName(registry));
  // Then nothing is known of them, but that the pod reaches them.
  if (!request.preflight) return new Set(request.tags.map((tag) => parseImageReference(tag).registry));
  await Promise.all(
    repositories.map(async (repository) => {
      if (!(await mayPush(direct, repository, request, signal))) inside.add(repository.registry);
    }),
  );
  return inside;
}

interface BuildSetup {
  readonly cluster: Cluster;
  readonly options: ResolvedKanikoDriverOptions;
  readonly request: KanikoBuildRequest;
  readonly plan: BuildPlan;
  readonly files: BuildFiles;
  readonly withHelper: boolean;
}

/** The cluster gets a little longer than the caller, who then learns of the deadline as such. */
const deadlineSlackMs = 3000;
/** The log ends with its container; a connection that does not is not waited for. */
const logGraceMs = 5000;

/** What a build has in the cluster, from its Job to the end of its executor. */
class RunningBuild {
  readonly #setup: BuildSetup;
  readonly #call: DriverCall;
  readonly #name: string;
  readonly #deadlineMs: number;
  readonly #log: ExecutorLog;
  readonly #streams = new AbortController();
  #startedMs = 0;
  #isMade = false;
  #isOver = false;
  #pod: Pod | undefined;

  constructor(setup: BuildSetup, call: DriverCall) {
    this.#setup = setup;
    this.#call = call;
    this.#name = attemptName(setup.request.id, randomBytes(2).toString("hex"));
    this.#log = new ExecutorLog(call.emit);
    const { deadlineMs } = setup.options;
    this.#deadlineMs =
      call.timeoutMs === undefined ? deadlineMs : Math.min(deadlineMs, call.timeoutMs + deadlineSlackMs);
  }

  /** Resolves with the pod's name when its executor waits for the context. */
  async start(): Promise<string> {
    const { cluster, options, request, plan, files, withHelper } = this.#setup;
    const { signal, emit } = this.#call;
    signal.throwIfAborted();
    this.#startedMs = Date.now();
    const { namespace } = cluster;
    const job = buildJob({
      ...{ namespace, name: this.#name, request, options, files, withHelper },
      ...{ arguments: plan.arguments, deadlineMs: this.#deadlineMs, nowMs: this.#startedMs },
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
      ...{ timeoutMs: options.startTimeoutMs, graceMs: options.unschedulableGraceMs },
      until: (pod) => (isStarted(pod, withHelper) ? pod : undefined),
    });
    const node = this.#pod.spec?.nodeName;
    emit({ type: "pod-phase", pod: name, phase: "running", ...(node === undefined ? {} : { node }) });
    return name;
  }

  /** Resolves with the digest of the image. Whatever fails first is the error. */
  async finish(allowed: Promise<unknown>): Promise<string> {
    const { cluster } = this.#setup;
    const pod = this.#podName();
    const signal = AbortSignal.any([this.#call.signal, this.#streams.signal]);
    const ended = this.#untilEnded(signal);
    const logged = this.#followLog(signal);
    const failed = Promise.withResolvers<never>();
    // Each is waited for below, or not at all if another one has failed before.
    for (const promise of [ended, logged, failed.promise]) promise.catch(() => undefined);
    const stream = await cluster.attach(
      { namespace: cluster.namespace, pod, container: executorContainer },
      { signal },
    );
    let sentBytes = 0;
    const sending = this.#send(stream, signal).then((bytes) => (sentBytes = bytes));
    for (const promise of [sending, allowed]) promise.catch((error: unknown) => failed.reject(error as Error));
    const end = await Promise.race([ended, failed.promise]);
    await Promise.race([logged.catch(() => undefined), elapse(logGraceMs)]);
    return this.#conclude(end, sentBytes);
  }

  async #send(stream: ExecStream, signal: AbortSignal): Promise<number> {
    const archive = await contextArchive(this.#setup.request, signal);
    return sendContext(stream, archive, this.#call.emit);
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
        ...{ namespace: cluster.namespace, pod, exitCode, reason, log, sentBytes },
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
    if (this.#isMade) await removeBuild(this.#setup.cluster, this.#name);
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
  return state?.running !== undefined && (!withHelper || isRunning("helper"));
}

function elapse(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs).unref();
  });
}
