/**
 * Build events as terminal or plain text output.
 *
 * @packageDocumentation
 */
export { createRenderer } from "./renderer.ts";
export type { Renderer, RendererOptions } from "./renderer.ts";
export type { Environment, RenderMode, RenderStream } from "./render-stream.ts";
export { formatBytes } from "./format-bytes.ts";
export { formatDuration } from "./format-duration.ts";
export { noProgress, progressState } from "./progress-state.ts";
export type { ProgressState } from "./progress-state.ts";
export type { BuildProgress, ContextProgress, PodProgress, PushProgress } from "./build-progress.ts";
export type { StepEnd, StepProgress, TaskProgress } from "./step-progress.ts";
export { drawFrame } from "./draw-frame.ts";
export { permanentLines } from "./permanent-lines.ts";
export { plainLines } from "./plain-lines.ts";
