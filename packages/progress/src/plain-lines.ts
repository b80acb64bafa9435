import type { BuildEvent } from "@slipway/core";

import { isEnded, type BuildProgress } from "./build-progress.ts";
import {
  completedTexts,
  errorLines,
  errorLocation,
  errorLogTail,
  isCanceledStep,
  podText,
  successText,
  taskText,
  warningText,
} from "./fact-text.ts";
import { formatDuration } from "./format-duration.ts";
import { readLog } from "./log-lines.ts";
import { buildLabel, buildOf, type ProgressState } from "./progress-state.ts";
import { isTaskDone, unendedLines, type StepEvent, type StepProgress } from "./step-progress.ts";

/**
 * What an event says, as lines without colour, each fact once. With more than one build, lines begin with the name of theirs.
 *
 * @param before - The state before the event.
 * @param after - The state after it, from `progressState`.
 */
export function plainLines(before: ProgressState, event: BuildEvent, after: ProgressState): string[] {
  const build = buildOf(after, event);
  const known = buildOf(before, event);
  if (build === undefined || (known !== undefined && isEnded(known))) return [];
  const lines = [...completedTexts(known, build), ...eventLines(event, known, build)];
  return withLabel(after, build, lines);
}

/** Log text that no line end has followed, for when nothing more will be rendered. */
export function unendedPlainLines(state: ProgressState): string[] {
  return state.builds.flatMap((build) => withLabel(state, build, unendedLogs(build)));
}

function withLabel(state: ProgressState, build: BuildProgress, lines: string[]): string[] {
  if (state.builds.length < 2) return lines;
  const label = buildLabel(state, build);
  return lines.map((line) => `${label} | ${line}`);
}

function eventLines(event: BuildEvent, known: BuildProgress | undefined, build: BuildProgress): string[] {
  switch (event.type) {
    case "build-queue":
      return event.position > 0 ? [`queued ${build.name} at position ${event.position}`] : [];
    case "build-start":
      return [`building ${build.name} with ${event.driver}`];
    case "pod-phase":
      return podLines(event.pod, known, build);
    case "step-start":
    case "step-progress":
    case "step-log":
    case "step-end":
      return stepLines(event, known?.steps.find(isStep(event)), build.steps.find(isStep(event)));
    case "warning":
      return [`warning: ${warningText(event)}`];
    case "build-retry":
      return [...unendedLogs(known), ...indented(`attempt ${event.attempt} after `, errorLines(event.error))];
    case "build-end":
      return [...unendedLogs(known), ...endLines(event, build)];
    default:
      return [];
  }
}

function isStep({ step }: StepEvent): (other: StepProgress) => boolean {
  return ({ id }) => id === step;
}

function podLines(name: string, known: BuildProgress | undefined, build: BuildProgress): string[] {
  const text = (of: BuildProgress | undefined) => of?.pods.filter((pod) => pod.name === name).map(podText) ?? [];
  const [line] = text(build);
  return line === undefined || line === text(known)[0] ? [] : [line];
}

function stepLines(event: StepEvent, known: StepProgress | undefined, step: StepProgress | undefined): string[] {
  if (step === undefined || step === known) return [];
  const prefix = `#${step.number} `;
  switch (event.type) {
    case "step-start":
      return [`${prefix}${step.name}`];
    case "step-progress":
      return taskLines(known, step).map((line) => `${prefix}${line}`);
    case "step-log": {
      const { lines } = readLog(known?.pending[event.stream] ?? "", event.text);
      return lines.map((line) => `${prefix}${line}`.trimEnd());
    }
    case "step-end": {
      const rest = known === undefined ? [] : unendedLines(known);
      return [...rest, stepEndText(step)].map((line) => `${prefix}${line}`);
    }
  }
}

/** A task at its beginning, or if its size is known at its end. */
function taskLines(known: StepProgress | undefined, step: StepProgress): string[] {
  return step.tasks.flatMap((task) => {
    const before = known?.tasks.find(({ name }) => name === task.name);
    if (task.total === undefined || task.total === 0) return before === undefined ? [task.name] : [];
    return isTaskDone(task) && (before === undefined || !isTaskDone(before)) ? [taskText(task)] : [];
  });
}

function stepEndText({ end }: StepProgress): string {
  if (end?.error !== undefined) return isCanceledStep(end.error) ? "CANCELED" : `ERROR ${end.error}`;
  return end?.cached === true ? "CACHED" : `DONE ${formatDuration(end?.durationMs ?? 0)}`;
}

function unendedLogs(build: BuildProgress | undefined): string[] {
  return (build?.steps ?? []).flatMap((step) => unendedLines(step).map((line) => `#${step.number} ${line}`));
}

function endLines(event: BuildEvent<"build-end">, build: BuildProgress): string[] {
  if (event.outcome === "succeeded") {
    return [successText(event.result, build.name)];
  }
  const { error, outcome } = event;
  const location = errorLocation(error);
  return [
    ...errorLogTail(error).map((line) => `  | ${line}`.trimEnd()),
    ...(location === undefined ? [] : [`  at ${location}`]),
    ...indented(`${outcome} ${build.name}: `, errorLines(error)),
  ];
}

function indented(first: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? `${first}${line}` : `  ${line}`));
}
