import type { BuildEvent, PodPhase } from "@slipway/core";

import { oneLine } from "./control-sequences.ts";
import { newStep, stepAfter, type StepEvent, type StepProgress } from "./step-progress.ts";

/** What is known of one build. */
export interface BuildProgress {
  readonly id: string;
  /** Safe to print. */
  readonly name: string;
  readonly state: "queued" | "running" | "succeeded" | "failed" | "canceled";
  /** How many builds are to start before this one, while it is queued. */
  readonly position: number;
  /** When this process heard of the start, or of the wait before it, in milliseconds since 1970. */
  readonly startedMs: number;
  readonly pods: readonly PodProgress[];
  readonly contexts: readonly ContextProgress[];
  /** Those of the present attempt; numbers go on from those of the attempts before it. */
  readonly steps: readonly StepProgress[];
  readonly stepCount: number;
  readonly pushes: readonly PushProgress[];
}

/** A pod of a build and the phase it is in. */
export type PodProgress = Readonly<{ name: string; phase: PodPhase; node?: string; reason?: string; message?: string }>;

/** How much of a context has been sent. `complete`: nothing more is expected. */
export type ContextProgress = Readonly<
  { name: string; complete: boolean } & Pick<
    BuildEvent<"context-progress">,
    "files" | "sentFiles" | "totalBytes" | "sentBytes"
  >
>;

/** How much of an image has been pushed. `complete`: nothing more is expected. */
export type PushProgress = Readonly<{ reference: string; sentBytes: number; totalBytes?: number; complete: boolean }>;

/** A step that copies from the context: engines start it once they have the context. */
const copiesContext = /\b(?:COPY|ADD) (?!.*--from)/;

/** A build that an event is the first to mention. */
export function newBuild(event: BuildEvent, nowMs: number): BuildProgress {
  return {
    id: event.buildId,
    name: event.buildId.slice(0, 8),
    state: "running",
    position: 0,
    startedMs: nowMs,
    pods: [],
    contexts: [],
    steps: [],
    stepCount: 0,
    pushes: [],
  };
}

/** The build after one of its events. */
export function buildAfter(build: BuildProgress, event: BuildEvent, nowMs: number): BuildProgress {
  if (isEnded(build)) return build;
  switch (event.type) {
    case "build-queue":
      return { ...build, name: oneLine(event.name), state: "queued", position: event.position, startedMs: nowMs };
    case "build-start":
      return { ...build, name: oneLine(event.name), state: "running", startedMs: nowMs };
    case "pod-phase":
      return { ...build, pods: replaced(build.pods, podAfter(event), "name") };
    case "context-progress":
      return { ...build, contexts: replaced(build.contexts, contextAfter(build, event), "name") };
    case "push-progress":
      return { ...build, pushes: replaced(build.pushes, pushAfter(event), "reference") };
    case "step-start":
    case "step-progress":
    case "step-log":
    case "step-end":
      return withStep(build, event, nowMs);
    case "build-retry":
      return { ...build, steps: [], contexts: [], pushes: [] };
    case "build-end":
      return endedBuild(build, event.outcome);
    default:
      return build;
  }
}

/** Whether the terminal event has come. */
export function isEnded({ state }: BuildProgress): boolean {
  return state !== "queued" && state !== "running";
}

function podAfter({ pod, phase, node, reason, message }: BuildEvent<"pod-phase">): PodProgress {
  return {
    name: oneLine(pod),
    phase,
    ...(node === undefined ? {} : { node: oneLine(node) }),
    ...(reason === undefined ? {} : { reason: oneLine(reason) }),
    ...(message === undefined ? {} : { message: oneLine(message) }),
  };
}

function contextAfter({ contexts }: BuildProgress, event: BuildEvent<"context-progress">): ContextProgress {
  const { files, sentFiles, totalBytes, sentBytes } = event;
  const name = oneLine(event.context);
  const known = contexts.find((context) => context.name === name);
  const isUnchanged = known?.complete === true && known.sentBytes === sentBytes && known.sentFiles === sentFiles;
  const complete = isUnchanged || (files > 0 && sentFiles >= files && sentBytes >= totalBytes);
  return { name, files, sentFiles, totalBytes, sentBytes, complete };
}

function pushAfter({ reference, sentBytes, totalBytes }: BuildEvent<"push-progress">): PushProgress {
  const complete = totalBytes !== undefined && sentBytes >= totalBytes;
  return { reference: oneLine(reference), sentBytes, ...(totalBytes === undefined ? {} : { totalBytes }), complete };
}

function withStep(build: BuildProgress, event: StepEvent, nowMs: number): BuildProgress {
  const index = build.steps.findIndex(({ id }) => id === event.step);
  const known = build.steps[index];
  const step = stepAfter(known ?? newStep(event, build.stepCount + 1, nowMs), event);
  const contexts =
    event.type === "step-start" && copiesContext.test(event.name)
      ? build.contexts.map((context) => (context.name === "context" ? { ...context, complete: true } : context))
      : build.contexts;
  if (known !== undefined) return { ...build, contexts, steps: build.steps.with(index, step) };
  return { ...build, contexts, steps: [...build.steps, step], stepCount: build.stepCount + 1 };
}

/** Lets go of the logs: a renderer may live as long as a process that builds all day. */
function endedBuild(build: BuildProgress, state: BuildProgress["state"]): BuildProgress {
  return {
    ...build,
    state,
    contexts: build.contexts.map((context) => ({ ...context, complete: true })),
    pushes: build.pushes.map((push) => ({ ...push, complete: true })),
    steps: build.steps.map((step) => ({ ...step, tasks: [], tail: [], pending: { stdout: "", stderr: "" } })),
  };
}

function replaced<Item>(items: readonly Item[], item: Item, key: keyof Item): readonly Item[] {
  const index = items.findIndex((other) => other[key] === item[key]);
  return index < 0 ? [...items, item] : items.with(index, item);
}
