import type { BuildEvent, BuildResult, BuilderErrorData } from "@slipway/core";

import type { BuildProgress, ContextProgress, PodProgress, PushProgress } from "./build-progress.ts";
import { oneLine, printableLines } from "./control-sequences.ts";
import { formatBytes } from "./format-bytes.ts";
import { formatDuration } from "./format-duration.ts";
import type { TaskProgress } from "./step-progress.ts";

const logTailLines = 20;

/** `pod builder-0 pulling on node-a (ErrImagePull: …)`. */
export function podText({ name, phase, node, reason, message }: PodProgress): string {
  const place = node === undefined ? "" : ` on ${node}`;
  const why = [reason, message].filter((part) => part !== undefined && part !== "").join(": ");
  return `pod ${name} ${phase}${place}${why === "" ? "" : ` (${why})`}`;
}

/** `context: 3 of 340 files, 1.2 MB of 30.0 MB`. */
export function contextText({ name, files, sentFiles, totalBytes, sentBytes }: ContextProgress): string {
  const title = name === "context" ? name : `context ${name}`;
  return `${title}: sent ${sentFiles} of ${files} files, ${formatBytes(sentBytes)} of ${formatBytes(totalBytes)}`;
}

/** `push registry.example.com/team/api:1: 1.2 MB of 30.0 MB`. */
export function pushText({ reference, sentBytes, totalBytes }: PushProgress): string {
  const total = totalBytes === undefined ? "" : ` of ${formatBytes(totalBytes)}`;
  return `push ${reference}: ${formatBytes(sentBytes)}${total}`;
}

/** `extracting 1.2 MB of 30.0 MB`. */
export function taskText({ name, current, total }: TaskProgress): string {
  if (total !== undefined && total > 0) return `${name} ${formatBytes(current)} of ${formatBytes(total)}`;
  return current > 0 ? `${name} ${formatBytes(current)}` : name;
}

/** `Dockerfile:3: what is wrong (https://…)`. */
export function warningText({ message, url, file, line }: BuildEvent<"warning">): string {
  const location = file === undefined ? "" : `${file}${line === undefined ? "" : `:${line}`}: `;
  return oneLine(`${location}${message}${url === undefined ? "" : ` (${url})`}`);
}

/** Contexts and pushes of which an event has told the last. */
export function completedTexts(before: BuildProgress | undefined, after: BuildProgress): string[] {
  const contexts = after.contexts.filter(
    ({ name, complete }) => complete && before?.contexts.find((known) => known.name === name)?.complete !== true,
  );
  const pushes = after.pushes.filter(
    ({ reference, complete }) =>
      complete && before?.pushes.find((known) => known.reference === reference)?.complete !== true,
  );
  return [...contexts.map(contextText), ...pushes.map(pushText)];
}

/** `built registry.example.com/team/api@sha256:… in 1.2s`, or that it was there already. */
export function successText({ image, skipped, durationMs }: BuildResult, name: string): string {
  return `${skipped === true ? "found" : "built"} ${image?.reference ?? name} in ${formatDuration(durationMs)}`;
}

/** `BUILD_FAILED: …`; a message may have several lines. */
export function errorLines({ code, message }: BuilderErrorData): string[] {
  return printableLines(`${code}: ${message}`);
}

/** `Dockerfile:3`, if the error knows where it was. */
export function errorLocation(error: BuilderErrorData): string | undefined {
  if (error.code !== "BUILD_FAILED" || error.details.location === undefined) return undefined;
  const { file, line } = error.details.location;
  return oneLine(`${file}:${line}`);
}

/** What the failed step printed last. */
export function errorLogTail(error: BuilderErrorData): string[] {
  if (error.code !== "BUILD_FAILED" || error.details.logTail.trim() === "") return [];
  return printableLines(error.details.logTail).slice(-logTailLines);
}

/** Engines end steps this way that run while another one fails. */
export function isCanceledStep(error: string): boolean {
  return /\bcontext canceled\b/.test(error);
}
