import { text } from "node:stream/consumers";

import type { Cluster } from "@slipway/cluster";
import { BuilderError, type HelperOutput } from "@slipway/core";

import { buildkitContainer } from "./workload.ts";

const helperTimeoutMs = 30_000;

/**
 * Asks a credential helper that is part of the builder's image. It runs in the pod, with the pod's cloud identity, as whoever made the Secret that names
 * it had in mind; the registry's address goes through stdin, and what comes back is never logged.
 *
 * @throws BuilderError INVALID_OPTIONS if the image has no such program
 */
export async function runCredentialHelper(
  cluster: Pick<Cluster, "exec">,
  pod: { readonly namespace: string; readonly name: string },
  question: { readonly helper: string; readonly serverUrl: string; readonly signal: AbortSignal },
): Promise<HelperOutput> {
  const program = `docker-credential-${question.helper}`;
  const signal = AbortSignal.any([question.signal, AbortSignal.timeout(helperTimeoutMs)]);
  const target = { namespace: pod.namespace, pod: pod.name, container: buildkitContainer };
  try {
    await using stream = await cluster.exec({ ...target, command: [program, "get"] }, { signal });
    stream.stdio.end(question.serverUrl);
    const output = await text(stream.stdio);
    const { exitCode } = await stream.status;
    // It was never started: there is no such program, or it is none.
    if (exitCode === undefined) throw missing(program, pod);
    return { status: exitCode, output };
  } catch (error) {
    if (question.signal.aborted || !signal.aborted) throw error;
    throw unusable(program, pod, `did not answer within ${helperTimeoutMs / 1000} s`);
  }
}

function missing(program: string, pod: { readonly namespace: string; readonly name: string }): BuilderError {
  return unusable(
    program,
    pod,
    "is not part of the builder's image. Use an image that has it, or a Secret with `auths`",
  );
}

function unusable(
  program: string,
  pod: { readonly namespace: string; readonly name: string },
  problem: string,
): BuilderError {
  const message = `${program} in pod ${pod.namespace}/${pod.name} ${problem}.`;
  return new BuilderError({
    code: "INVALID_OPTIONS",
    message,
    details: { issues: [{ path: "credentials", message }] },
  });
}
