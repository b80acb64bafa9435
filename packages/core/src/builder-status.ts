import type { BuiltImage } from "./build-result.ts";

export type BuilderState = "inactive" | "starting" | "running" | "stopping" | "stopped";

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

export type BuildInfo = Readonly<{
  id: string;
  name: string;
  state: "queued" | "running" | "succeeded" | "failed" | "canceled";
  tags: readonly string[];
  startedMs: number;
  durationMs?: number;
  image?: BuiltImage;
}>;
