import type { BuiltImage } from "./build-result.ts";

/** How far a builder, or one of its nodes, is: `inactive` was never started, `stopped` keeps its state. */
export type BuilderState = "inactive" | "starting" | "running" | "stopping" | "stopped";

/** A builder and the nodes that it builds on. */
export type BuilderStatus = Readonly<{ state: BuilderState; nodes: readonly BuilderNode[] }>;

/** A pod or an engine that builds; `reason`: why it does not. */
export type BuilderNode = Readonly<{
  name: string;
  state: BuilderState;
  reason?: string;
  platforms: readonly string[];
  version?: string;
  activeBuilds?: number;
}>;

/** A build on record; `startedMs` is the time in epoch milliseconds. */
export type BuildInfo = Readonly<{
  id: string;
  name: string;
  state: "queued" | "running" | "succeeded" | "failed" | "canceled";
  tags: readonly string[];
  startedMs: number;
  durationMs?: number;
  image?: BuiltImage;
}>;
