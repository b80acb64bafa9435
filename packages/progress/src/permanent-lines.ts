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
  warningText,
} from "./fact-text.ts";
import { truncate } from "./display-width.ts";
import { formatDuration } from "./format-duration.ts";
import { paintWith, type Paint } from "./paint.ts";
import { buildLabel, buildOf, type ProgressState } from "./progress-state.ts";
import { drawRow, type Row } from "./row.ts";
import { unendedLines, type StepProgress } from "./step-progress.ts";

const done = { mark: "✔", markStyle: "green" } as const;
const failed = { mark: "✖", markStyle: "red" } as const;
const attention = { mark: "!", markStyle: "yellow" } as const;

/**
 * What an event ends or tells once and for all, as terminal lines that stay above the live part. Rows about steps are cut to fit;
 * errors, warnings and digests are whole.
 *
 * @param before - The state before the event.
 * @param after - The state after it, from `progressState`.
 * @param columns - Width of the terminal.
 * @param colors - Whether lines may have SGR sequences; they have no others.
 */
export function permanentLines(
  before: ProgressState,
  event: BuildEvent,
  after: ProgressState,
  columns: number,
  colors: boolean,
): string[] {
  const build = buildOf(after, event);
  const known = buildOf(before, event);
  if (build === undefined || (known !== undefined && isEnded(known))) return [];
  const paint = paintWith(colors);
  const label = after.builds.length < 2 ? "" : `${truncate(buildLabel(after, build), Math.floor(columns / 3))} | `;
  const draw = (row: Row): string => drawRow({ ...row, text: `${label}${row.text}` }, columns, paint);
  const completed = completedTexts(known, build).map((text) => draw({ ...done, text }));
  return [...completed, ...eventLines(event, known, build, { draw, paint, label })];
}

interface Drawing {
  readonly draw: (row: Row) => string;
  readonly paint: Paint;
  readonly label: string;
}

function eventLines(
  event: BuildEvent,
  known: BuildProgress | undefined,
  build: BuildProgress,
  drawing: Drawing,
): string[] {
  switch (event.type) {
    case "pod-phase":
      return podRows(known, build).map(drawing.draw);
    case "step-end": {
      const step = build.steps.find(({ id }) => id === event.step);
      const ended = known?.steps.find(({ id }) => id === event.step)?.end !== undefined;
      return step === undefined || ended ? [] : stepLines(step, drawing);
    }
    case "warning":
      return [whole(attention, [warningText(event)], drawing)].flat();
    case "build-retry":
      return whole(attention, withFirst(`attempt ${event.attempt} after `, errorLines(event.error)), drawing);
    case "build-end":
      return endLines(event, known, build, drawing);
    default:
      return [];
  }
}

function podRows(known: BuildProgress | undefined, build: BuildProgress): Row[] {
  return build.pods.flatMap((pod): Row[] => {
    const wasKnown = known?.pods.some(({ name, phase }) => name === pod.name && phase === pod.phase) === true;
    if (wasKnown || (pod.phase !== "running" && pod.phase !== "failed")) return [];
    return [{ ...(pod.phase === "running" ? done : failed), text: podText(pod) }];
  });
}

function stepLines(step: StepProgress, drawing: Drawing): string[] {
  const { number, name, end } = step;
  const right = end?.cached === true ? "CACHED" : formatDuration(end?.durationMs ?? 0);
  const title = `#${number} ${name}`;
  if (end?.error === undefined) {
    const textStyle = name.startsWith("[internal]") ? ({ textStyle: "dim" } as const) : {};
    return [drawing.draw({ ...done, text: title, ...textStyle, right })];
  }
  if (isCanceledStep(end.error)) return [drawing.draw({ mark: "·", text: title, textStyle: "dim", right: "CANCELED" })];
  return [
    drawing.draw({ ...failed, text: title, right }),
    drawing.paint("red", `${drawing.label}  ${end.error}`),
    ...logLines(step.tail, drawing),
  ];
}

function endLines(
  event: BuildEvent<"build-end">,
  known: BuildProgress | undefined,
  build: BuildProgress,
  drawing: Drawing,
): string[] {
  if (event.outcome === "succeeded") {
    return whole(done, [successText(event.result, build.name)], drawing);
  }
  const { error, outcome } = event;
  const location = errorLocation(error);
  const steps = known?.steps ?? [];
  const isLogShown = steps.some(
    ({ end, tail }) => end?.error !== undefined && !isCanceledStep(end.error) && tail.length > 0,
  );
  const open = steps.flatMap((step) => (step.end === undefined ? [...step.tail, ...unendedLines(step)] : []));
  const tail = errorLogTail(error);
  return [
    ...(isLogShown ? [] : logLines(tail.length > 0 ? tail : open, drawing)),
    ...whole(failed, withFirst(`${outcome} ${build.name}: `, errorLines(error)), drawing),
    ...(location === undefined ? [] : [`${drawing.label}  at ${drawing.paint("bold", location)}`]),
  ];
}

function logLines(lines: readonly string[], { paint, label }: Drawing): string[] {
  return lines.map((line) => `${label}${paint("dim", `  │ ${line}`)}`);
}

/** Lines that are not cut. */
function whole(
  { mark, markStyle }: Required<Pick<Row, "mark" | "markStyle">>,
  lines: readonly string[],
  { paint, label }: Drawing,
): string[] {
  return lines.map((line, index) => (index === 0 ? `${paint(markStyle, mark)} ${label}${line}` : `${label}  ${line}`));
}

function withFirst(prefix: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? `${prefix}${line}` : line));
}
