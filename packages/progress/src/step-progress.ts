import type { BuildEvent } from "@slipway/core";

import { oneLine } from "./control-sequences.ts";
import { readLog } from "./log-lines.ts";

/** Lines of log that a step keeps. */
const tailLines = 10;

/** What is known of one step of a build. */
export interface StepProgress {
  readonly id: string;
  /** Counts the steps of a build in the order in which they were first heard of, from 1. */
  readonly number: number;
  /** Safe to print; empty while only other events have named the step. */
  readonly name: string;
  /** On the clock of the engine, in milliseconds since 1970. */
  readonly startedMs: number;
  /** When this process heard of the step, on its own clock. The two clocks may differ. */
  readonly heardMs: number;
  /** Absent while the step runs. */
  readonly end?: StepEnd;
  readonly tasks: readonly TaskProgress[];
  /** Log text that no line end has followed yet, as it came. */
  readonly pending: Readonly<Record<"stdout" | "stderr", string>>;
  /** The last lines of log, safe to print. */
  readonly tail: readonly string[];
}

/** How a step ended. */
export type StepEnd = Readonly<{ durationMs: number; cached: boolean; error?: string }>;

/** Part of a step, such as the download of one layer; in bytes. */
export type TaskProgress = Readonly<{ name: string; current: number; total?: number }>;

/** An event about one step. */
export type StepEvent = BuildEvent<"step-start" | "step-progress" | "step-log" | "step-end">;

/** A step that an event is the first to mention. */
export function newStep(event: StepEvent, number: number, heardMs: number): StepProgress {
  return {
    id: event.step,
    number,
    name: "",
    startedMs: event.timeMs,
    heardMs,
    tasks: [],
    pending: { stdout: "", stderr: "" },
    tail: [],
  };
}

/** The step after an event. Events may come in any order: a start after the end still brings the name. */
export function stepAfter(step: StepProgress, event: StepEvent): StepProgress {
  switch (event.type) {
    case "step-start":
      return step.name === "" ? { ...step, name: oneLine(event.name), startedMs: event.timeMs } : step;
    case "step-progress":
      return { ...step, tasks: tasksAfter(step.tasks, event) };
    case "step-log": {
      const { lines, pending } = readLog(step.pending[event.stream], event.text);
      return { ...step, pending: { ...step.pending, [event.stream]: pending }, tail: tailAfter(step.tail, lines) };
    }
    case "step-end":
      return step.end === undefined ? ended(step, event) : step;
  }
}

/** What is left of a step's log when nothing more will come: lines without an end. */
export function unendedLines({ pending }: StepProgress): readonly string[] {
  return [pending.stdout, pending.stderr].filter((text) => text !== "").flatMap((text) => readLog(text, "\n").lines);
}

/** Whether all of a task is done, if its size is known. */
export function isTaskDone({ current, total }: TaskProgress): boolean {
  return total !== undefined && total > 0 && current >= total;
}

function ended(step: StepProgress, event: BuildEvent<"step-end">): StepProgress {
  const { cached, error } = event;
  const durationMs = Math.max(0, event.timeMs - step.startedMs);
  return {
    ...step,
    end: { durationMs, cached, ...(error === undefined ? {} : { error: oneLine(error) }) },
    tail: tailAfter(step.tail, unendedLines(step)),
    pending: { stdout: "", stderr: "" },
  };
}

function tasksAfter(tasks: readonly TaskProgress[], event: BuildEvent<"step-progress">): readonly TaskProgress[] {
  const { current, total } = event;
  const task = { name: oneLine(event.task), current, ...(total === undefined ? {} : { total }) };
  const index = tasks.findIndex(({ name }) => name === task.name);
  return index < 0 ? [...tasks, task] : tasks.with(index, task);
}

function tailAfter(tail: readonly string[], lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? tail : [...tail, ...lines].slice(-tailLines);
}
