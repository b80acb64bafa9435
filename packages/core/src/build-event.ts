import type { BuildResult } from "./build-result.ts";
import type { BuilderErrorData } from "./builder-error.ts";

/** How far a pod is. */
export type PodPhase = "pending" | "scheduled" | "pulling" | "running" | "succeeded" | "failed" | "deleted";

/** What a driver reports, by type. */
export interface DriverEvents {
  "context-progress": { context: string; files: number; sentFiles: number; totalBytes: number; sentBytes: number };
  "pod-phase": { pod: string; phase: PodPhase; node?: string; reason?: string; message?: string };
  "step-start": { step: string; name: string; platform?: string };
  "step-progress": { step: string; task: string; current: number; total?: number };
  /** Need not end where a line ends. */
  "step-log": { step: string; stream: "stdout" | "stderr"; text: string };
  "step-end": { step: string; cached: boolean; error?: string };
  /** `reference` is a destination of `publish` as it was given. Several tags of one repository are reported together, under the first of them. */
  "push-progress": { reference: string; sentBytes: number; totalBytes?: number };
  /** What repeats one that the build has had is dropped, also in a further attempt. */
  warning: { message: string; url?: string; file?: string; line?: number };
  /** The steps so far belong to an attempt that failed. */
  "build-retry": { attempt: number; error: BuilderErrorData };
}

/** What happens to a build, by type. Plain data: what `JSON.parse` gives back is the same event. */
export interface BuildEvents extends DriverEvents {
  "build-queue": { name: string; position: number };
  "build-start": { name: string; driver: string; tags: readonly string[] };
  /** The image is there already, built from the same inputs: `identity` names them. The end follows. */
  "build-skip": { reference: string; identity: string };
  /** The terminal event, exactly once. */
  "build-end":
    { outcome: "succeeded"; result: BuildResult } | { outcome: "failed" | "canceled"; error: BuilderErrorData };
}

/** `timeMs`: when it happened, if the engine says so; else core takes the time of arrival. */
export type DriverEvent<Type extends keyof DriverEvents = keyof DriverEvents> = {
  [Key in Type]: Readonly<{ type: Key; timeMs?: number } & DriverEvents[Key]>;
}[Type];

/** An event of a build: what the run yields, and what `onEvent` gets. */
export type BuildEvent<Type extends keyof BuildEvents = keyof BuildEvents> = {
  [Key in Type]: Readonly<{ type: Key; timeMs: number; buildId: string } & BuildEvents[Key]>;
}[Type];
