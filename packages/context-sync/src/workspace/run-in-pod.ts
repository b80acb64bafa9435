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
 * @throws BuilderError CONTEXT_SYNC_FAILED if it could not be started
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
  if (exitCode === undefined) throw syncFailed(`Pod ${namespace}/${pod} runs no script: ${message}`, 0, false);
  return { exitCode, output: Buffer.concat(chunks) };
}

/** The error for a sync that came to nothing. */
export function syncFailed(message: string, sentBytes: number, retryable = true): BuilderError<"CONTEXT_SYNC_FAILED"> {
  return new BuilderError({ code: "CONTEXT_SYNC_FAILED", message, details: { sentBytes }, retryable });
}
