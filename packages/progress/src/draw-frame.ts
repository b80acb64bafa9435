import { isEnded, type BuildProgress } from "./build-progress.ts";
import { contextText, podText, pushText, taskText } from "./fact-text.ts";
import { formatDuration } from "./format-duration.ts";
import { printableLine } from "./log-lines.ts";
import { paintWith } from "./paint.ts";
import { buildLabel, type ProgressState } from "./progress-state.ts";
import { drawRow, type Row } from "./row.ts";
import { isTaskDone, type StepProgress } from "./step-progress.ts";

/** Lines of log below a running step, when there is room. */
const tailRows = 4;

/** A row with lines below it that may be left out. */
interface Item {
  readonly head: Row;
  readonly tail: readonly string[];
}

/**
 * What goes on right now, as lines for the lower end of a terminal: each running build with its pods, contexts, running steps with
 * the end of their log, and pushes. What is over is not in it.
 *
 * @param columns - Width of the terminal; no line is as wide.
 * @param rows - Height of the terminal; there are fewer lines.
 * @param nowMs - In milliseconds since 1970.
 * @param colors - Whether lines may have SGR sequences; they have no others.
 */
export function drawFrame(
  state: ProgressState,
  columns: number,
  rows: number,
  nowMs: number,
  colors: boolean,
): string[] {
  const items = state.builds.filter((build) => !isEnded(build)).flatMap((build) => buildItems(state, build, nowMs));
  const paint = paintWith(colors);
  return fit(items, Math.max(1, rows - 1)).map((row) => drawRow(row, columns, paint));
}

function fit(items: readonly Item[], limit: number): Row[] {
  if (items.length > limit) {
    const shown = items.slice(0, limit - 1).map(({ head }) => head);
    return [...shown, { text: `… and ${items.length - shown.length} more`, textStyle: "dim" }];
  }
  let spare = limit - items.length;
  let waiting = items.filter(({ tail }) => tail.length > 0).length;
  return items.flatMap(({ head, tail }) => {
    if (tail.length === 0) return [head];
    const shown = Math.min(tail.length, tailRows, Math.ceil(spare / waiting));
    spare -= shown;
    waiting--;
    const lines = shown === 0 ? [] : tail.slice(-shown);
    return [head, ...lines.map((text): Row => ({ indent: (head.indent ?? 0) + 4, text, textStyle: "dim" }))];
  });
}

function buildItems(state: ProgressState, build: BuildProgress, nowMs: number): Item[] {
  const right = formatDuration(nowMs - build.startedMs);
  const label = state.builds.length < 2 ? build.name : buildLabel(state, build);
  if (build.state === "queued") {
    return [
      item({ mark: "·", text: build.position > 0 ? `${label} queued at position ${build.position}` : label, right }),
    ];
  }
  const pods = build.pods.filter(({ phase }) => phase === "pending" || phase === "scheduled" || phase === "pulling");
  return [
    item({ mark: "●", markStyle: "cyan", text: label, textStyle: "bold", right }),
    ...[
      ...pods.map((pod) => item(running(podText(pod)))),
      ...build.contexts.filter(({ complete }) => !complete).map((context) => item(running(contextText(context)))),
      ...build.steps.filter(({ end }) => end === undefined).map((step) => stepItem(step, nowMs)),
      ...build.pushes.filter(({ complete }) => !complete).map((push) => item(running(pushText(push)))),
    ],
  ];
}

function item(head: Row): Item {
  return { head, tail: [] };
}

function running(text: string): Row {
  return { indent: 2, mark: "→", markStyle: "cyan", text };
}

function stepItem(step: StepProgress, nowMs: number): Item {
  const tasks = step.tasks.filter((task) => !isTaskDone(task)).map(taskText);
  const begun = [step.pending.stdout, step.pending.stderr].map(printableLine).filter((line) => line.trim() !== "");
  const right = formatDuration(nowMs - step.heardMs);
  return { head: { ...running(`#${step.number} ${step.name}`), right }, tail: [...tasks, ...step.tail, ...begun] };
}
