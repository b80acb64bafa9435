import { BuilderError, repositoryOf } from "@slipway/core";
import type { BuildInfo, BuildRequest, DriverBuildResult, DriverEvent, PullableOptions } from "@slipway/core";

import { abortable } from "./abortable.ts";
import type { FakeStep } from "./fake-dockerfile.ts";
import type { FakeSecret, FakeServiceAccount } from "./fake-objects.ts";
import { indexDigest } from "./index-digest.ts";
import { sha256 } from "./sha256.ts";

/** How a fake cluster runs a build. */
export interface FakeBuildPlan {
  readonly steps: readonly FakeStep[];
  /** Added to what each step takes. */
  readonly stepMs: number;
  /** From the moment a build is told to stop to the moment it is dead. */
  readonly killMs: number;
}

/** A build in a fake cluster. It lives on when whoever started it lets go. */
export interface FakeRemoteBuild {
  readonly id: string;
  /** What it has reported so far. */
  readonly events: readonly DriverEvent[];
  readonly alive: boolean;
  /** Settles when it is dead. */
  readonly ended: Promise<DriverBuildResult>;
  /** How it is now, as `builds` lists it. */
  info(): BuildInfo;
  /** Tells it to stop; `ended` settles when it is dead. */
  kill(): void;
  /** Reports everything from the first event on. @returns a function that stops it */
  follow(emit: (event: DriverEvent) => void): () => void;
}

/** What a fake registry knows of an image. */
export interface FakeImageContent {
  readonly platforms: readonly Readonly<{ platform: string; digest: string }>[];
  /** What it was built from, as `recordIdentity` was told. */
  readonly identities: string[];
}

/** Builds and images that outlive a driver: hand the same one to several drivers to play several processes. */
export class FakeCluster {
  /** Every build since the last `prune`, oldest first. */
  readonly builds = new Map<string, FakeRemoteBuild>();
  /** Digests by reference, as a registry serves them. */
  readonly images = new Map<string, string>();
  /** What is known of images, by their digests. */
  readonly contents = new Map<string, FakeImageContent>();
  /** Secrets by `namespace/name`, as keychains read them; the builder's own namespace is `default`. */
  readonly secrets = new Map<string, FakeSecret>();
  /** ServiceAccounts by `namespace/name`. */
  readonly serviceAccounts = new Map<string, FakeServiceAccount>();
  /** What `ensurePullable` was asked for, oldest first. */
  readonly pullables: PullableOptions[] = [];
  readonly #cache = new Set<string>();

  /** Starts a build. */
  start(request: BuildRequest, plan: FakeBuildPlan): FakeRemoteBuild {
    const build = startRemoteBuild(request, plan, {
      images: this.images,
      contents: this.contents,
      cache: this.#cache,
    });
    this.builds.set(request.id, build);
    return build;
  }

  /** Drops the records of dead builds and the cache. @returns what was dropped */
  prune(): readonly string[] {
    const dropped = [...this.builds.values()].filter((build) => !build.alive).map((build) => build.id);
    for (const id of dropped) this.builds.delete(id);
    this.#cache.clear();
    return dropped;
  }
}

interface ClusterState {
  readonly images: Map<string, string>;
  readonly contents: Map<string, FakeImageContent>;
  readonly cache: Set<string>;
}

function startRemoteBuild(request: BuildRequest, plan: FakeBuildPlan, state: ClusterState): FakeRemoteBuild {
  const death = new AbortController();
  const events: DriverEvent[] = [];
  const followers = new Set<(event: DriverEvent) => void>();
  const startedMs = Date.now();
  let outcome: Pick<BuildInfo, "state" | "durationMs"> = { state: "running" };
  const emit = (event: DriverEvent) => {
    events.push(event);
    for (const follower of followers) follower(event);
  };
  const settle = (state: BuildInfo["state"]) => (outcome = { state, durationMs: Date.now() - startedMs });
  const run = async (): Promise<DriverBuildResult> => {
    try {
      const result = await runSteps(request, plan, { ...state, emit, signal: death.signal });
      settle("succeeded");
      return result;
    } catch (error) {
      settle(death.signal.aborted ? "canceled" : "failed");
      throw error;
    }
  };
  const ended = run();
  ended.catch(() => undefined);
  return {
    id: request.id,
    events,
    ended,
    get alive() {
      return outcome.state === "running";
    },
    info: () => ({ id: request.id, name: request.name, tags: request.tags, startedMs, ...outcome }),
    kill: () => death.abort(canceled(request)),
    follow(follower) {
      for (const event of events) follower(event);
      followers.add(follower);
      return () => followers.delete(follower);
    },
  };
}

interface StepRun extends ClusterState {
  readonly emit: (event: DriverEvent) => void;
  readonly signal: AbortSignal;
}

async function runSteps(request: BuildRequest, plan: FakeBuildPlan, run: StepRun): Promise<DriverBuildResult> {
  const pod = `fake-${request.id}`;
  run.emit({ type: "pod-phase", pod, phase: "running" });
  let chain = JSON.stringify([request.target, request.buildArgs, request.labels, request.platforms]);
  for (const [index, step] of plan.steps.entries()) {
    chain = sha256(`${chain}\n${step.name}`);
    await runStep(String(index + 1), step, chain, request, plan, run);
  }
  run.emit({ type: "pod-phase", pod, phase: "succeeded" });
  return finish(chain, request, run);
}

async function runStep(
  id: string,
  step: FakeStep,
  chain: string,
  request: BuildRequest,
  plan: FakeBuildPlan,
  { emit, cache, signal }: StepRun,
): Promise<void> {
  emit({ type: "step-start", step: id, name: step.name });
  const cached = cache.has(chain) && request.noCache === false;
  try {
    if (!cached) await abortable(step.durationMs + plan.stepMs, signal);
  } catch (error) {
    await abortable(plan.killMs);
    emit({ type: "step-end", step: id, cached: false, error: "canceled" });
    throw error;
  }
  for (const secret of step.secrets) await request.secrets[secret]?.();
  if (!cached && step.log !== "") emit({ type: "step-log", step: id, stream: "stdout", text: step.log });
  if (step.exitCode !== 0) {
    emit({ type: "step-end", step: id, cached: false, error: `exit code ${step.exitCode}` });
    throw buildFailed(step, request);
  }
  cache.add(chain);
  emit({ type: "step-end", step: id, cached });
}

function canceled({ name }: BuildRequest): BuilderError<"ABORTED"> {
  const reason = "somebody canceled it";
  return new BuilderError({
    code: "ABORTED",
    message: `The build "${name}" was canceled: ${reason}.`,
    details: { reason },
  });
}

function buildFailed(step: FakeStep, request: BuildRequest): BuilderError<"BUILD_FAILED"> {
  return new BuilderError({
    code: "BUILD_FAILED",
    message: `The step "${step.name}" ended with exit code ${step.exitCode}. Its log says why.`,
    details: {
      step: step.name,
      exitCode: step.exitCode,
      location: { file: request.dockerfile, line: step.line },
      logTail: step.log,
    },
  });
}

async function finish(
  chain: string,
  request: BuildRequest,
  { images, contents, signal }: StepRun,
): Promise<DriverBuildResult> {
  const platforms = (request.platforms.length > 0 ? request.platforms : ["linux/amd64"]).map((platform) => ({
    platform,
    digest: `sha256:${sha256(`${chain} ${platform}`)}`,
  }));
  const [only, ...others] = platforms;
  const digest = only !== undefined && others.length === 0 ? only.digest : indexDigest(platforms);
  if (!contents.has(digest)) contents.set(digest, { platforms, identities: [] });
  const digestOf = (output: BuildRequest["outputs"][number]) => ["push", "oci", "docker"].includes(output.type);
  for (const output of request.outputs) {
    if (output.type === "push") for (const tag of request.tags) pushed(images, tag, digest, output.byDigest === true);
    if ("destination" in output) await output.destination(archive(digest), { signal });
  }
  return request.outputs.some(digestOf) ? { digest, platforms } : {};
}

function pushed(images: Map<string, string>, tag: string, digest: string, byDigest: boolean): void {
  images.set(`${repositoryOf(tag)}@${digest}`, digest);
  if (!byDigest) images.set(tag, digest);
}

async function* archive(digest: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`image ${digest}\n`);
}
