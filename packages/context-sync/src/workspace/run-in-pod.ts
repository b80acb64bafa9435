import type { Cluster, ClusterCall } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

/** Where scripts run. */
export interface PodTarget {
  readonly cluster: Pick<Cluster, "exec">;
  readonly namespace: string;
  readonly pod: string;
}

/** What a script has said. */
export interface ScriptResult {
  readonly exitCode: number;
  readonly output: Buffer;
}

/**
 * Runs a script that reads nothing, with arguments from `$0` on.
 *
 * @throws BuilderError CONTEXT_SYNC_FAILED if the pod has no shell, POD_LOST if its container has ended
 */
export async function runInPod(
  { cluster, namespace, pod }: PodTarget,
  script: string,
  argv: readonly string[],
  call: ClusterCall = {},
): Promise<ScriptResult> {
  await using stream = await cluster.exec(
    { namespace, pod, command: ["sh", "-c", script, ...argv], stdin: false },
    call,
  );
  const chunks: Buffer[] = [];
  for await (const chunk of stream.stdio) chunks.push(chunk as Buffer);
  const { exitCode, message } = await stream.status;
  if (exitCode === undefined) throw notRun({ namespace, pod }, message);
  return { exitCode, output: Buffer.concat(chunks) };
}

/** What runtimes say of an image without a shell; all else, in words of their own, is a container that has ended while its pod is still there. */
const noShell = /executable file not found|no such file or directory|permission denied/i;

function notRun({ namespace, pod }: Omit<PodTarget, "cluster">, said: string): BuilderError {
  const message = `Pod ${namespace}/${pod} runs no script: ${said}`;
  if (noShell.test(said)) return syncFailed(message, 0, false);
  return new BuilderError({ code: "POD_LOST", message, details: { namespace, pod, events: [] } });
}

/** The error for a sync that came to nothing. */
export function syncFailed(message: string, sentBytes: number, retryable = true): BuilderError<"CONTEXT_SYNC_FAILED"> {
  return new BuilderError({ code: "CONTEXT_SYNC_FAILED", message, details: { sentBytes }, retryable });
}
