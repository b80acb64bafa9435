import { BuilderError } from "@slipway/core";

import type { LogSummary } from "./executor-log.ts";
import { registryError } from "./registry-failure.ts";

/** How an executor ended that did not build. */
export interface ExecutorEnd {
  readonly namespace: string;
  readonly pod: string;
  readonly exitCode: number;
  /** Such as `OOMKilled`. */
  readonly reason?: string | undefined;
  readonly memoryLimit?: string | undefined;
  readonly log: LogSummary;
  /** Of the context. */
  readonly sentBytes: number;
  /** What has ended the connection that the context came by, if it was lost. */
  readonly contextLoss?: string | undefined;
}

/** Finds the reason behind an executor's failure, from how it ended and what it said last. */
export function explainEnd(end: ExecutorEnd): BuilderError {
  const { log, exitCode } = end;
  const said = log.error ?? lastLine(log.tail);
  const killed = killedForMemory(end, said);
  if (killed !== undefined) return outOfMemory(end, killed);
  const full = saysDiskFull(said) ? said : lackOfDisk(log);
  if (full !== undefined) return diskFull(end, full);
  if (isBrokenContext(said)) return contextBroken(end, said);
  // Its log was lost, too: nothing says that it had begun to build.
  if (said === "" && end.contextLoss !== undefined) return contextBroken(end, end.contextLoss);
  const registry = registryError(said);
  if (registry !== undefined) return registry;
  const status = exitCode === 1 ? "" : ` with exit code ${exitCode}`;
  return new BuilderError({
    code: "BUILD_FAILED",
    message: `${capitalized(describeStep(log))} failed${status}: ${said} What it printed last is in details.logTail.`,
    details: { ...(log.step === undefined ? {} : { step: log.step }), exitCode, logTail: log.tail },
  });
}

const sigkill = 128 + 9;

/**
 * Who was killed for its memory, if somebody was. An executor that had something to say was not. Where the container's state names no reason, a kill under
 * a memory limit is taken for one: nobody else kills there, and the state is told late or not at all when the memory is gone.
 */
function killedForMemory({ reason, exitCode, memoryLimit, log }: ExecutorEnd, said: string): string | undefined {
  const isTold = reason === "OOMKilled";
  if (!isTold && memoryLimit === undefined) return undefined;
  const killed = `was killed${isTold ? "" : ", as the kernel kills,"} for its memory`;
  if (log.error === undefined) return isTold || exitCode === sigkill ? killedExecutor(log, killed) : undefined;
  const isStepKilled = isTold || /signal: killed/.test(said);
  return isStepKilled ? `A process of ${describeStep(log)} ${killed}` : undefined;
}

/** With cgroup v2 the kernel kills a whole container at once: nothing tells then whether the executor or a process of the step took the memory. */
function killedExecutor({ step = "", isSnapshotting }: LogSummary, killed: string): string {
  const isStepRunning = /^RUN\s/i.test(step) && !isSnapshotting;
  return isStepRunning ? `The executor ${killed}, with whatever the step ran,` : `The executor itself ${killed}`;
}

function describeStep({ step }: LogSummary): string {
  return step === undefined ? "the build" : `step "${step}"`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

function during(log: LogSummary): string {
  return log.isSnapshotting ? `while it kept what ${describeStep(log)} had changed` : `during ${describeStep(log)}`;
}

function outOfMemory({ namespace, pod, memoryLimit, log }: ExecutorEnd, who: string): BuilderError {
  const limit = memoryLimit === undefined ? "the node had no memory left" : `the memory limit is ${memoryLimit}`;
  return new BuilderError({
    code: "OUT_OF_MEMORY",
    message: `${who} in pod ${namespace}/${pod} ${during(log)}: ${limit}. Raise resources.limits.memory, let the step use less, or set cache.compressed to false.`,
    details: { namespace, pod, events: [], ...(memoryLimit === undefined ? {} : { limit: memoryLimit }) },
  });
}

function saysDiskFull(text: string): boolean {
  // The kernel says the same when it has no room for another watch.
  return /no space left on device|disk quota exceeded/i.test(text) && !/inotify/i.test(text);
}

/** The last lines of a step: what comes after the reason is what others make of it. */
const lastLines = 10;

/** The line in which a failing `RUN` says that it found no disk left: the executor only knows its exit code. */
function lackOfDisk({ step = "", isSnapshotting, printed = "" }: LogSummary): string | undefined {
  if (!/^RUN\s/i.test(step) || isSnapshotting) return undefined;
  return printed.trimEnd().split("\n").slice(-lastLines).findLast(saysDiskFull);
}

function diskFull({ namespace, pod, log }: ExecutorEnd, said: string): BuilderError {
  return new BuilderError({
    code: "DISK_FULL",
    message: `Pod ${namespace}/${pod} has no disk left during ${describeStep(log)}: ${said.replace(/\.?$/, ".")} Give it more ephemeral storage, or choose another node.`,
    details: { namespace, pod, events: [] },
  });
}

function isBrokenContext(said: string): boolean {
  return /error resolving source context: .*(unexpected EOF|EOF|invalid header|gzip|no data found)/.test(said);
}

/** The error for a context of which the executor does not have all. */
export function contextBroken(
  { namespace, pod, sentBytes }: Pick<ExecutorEnd, "namespace" | "pod" | "sentBytes">,
  said: string,
): BuilderError {
  return new BuilderError({
    code: "CONTEXT_SYNC_FAILED",
    message: `The context did not arrive whole in pod ${namespace}/${pod}, and nothing was built of it: ${said} Build again.`,
    details: { sentBytes },
  });
}
