import { connectBuildkit, isConnectionLost, type BuildkitClient } from "@slipway/buildkit-client";
import type { Cluster, ExecStream } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import { buildkitContainer } from "./workload.ts";

/** A connection to a daemon that may not have answered yet. */
export interface BuildkitConnection {
  readonly client: BuildkitClient;
  /** Resolves when it has. @throws BuilderError POD_LOST with what the process in the pod said */
  readonly answered: Promise<void>;
}

/** Connects to the daemon in a pod: `buildctl dial-stdio` joins stdin and stdout to its socket, so that no port has to be open. */
export async function dialBuildkit(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<BuildkitConnection> {
  const target = { namespace: pod.namespace, pod: pod.name, container: buildkitContainer };
  const opening = cluster.exec({ ...target, command: ["buildctl", "dial-stdio"] }, { signal });
  const client = await connectBuildkit(
    opening.then(({ stdio }) => stdio),
    { signal, eager: true },
  );
  const stream = await opening;
  const answered = client.answered.catch(async (error: unknown) => {
    throw await dialError(stream, error, pod);
  });
  answered.catch(() => undefined);
  return { client, answered };
}

/** What the process in the pod said is the reason; that the connection ended is only how it shows. */
async function dialError(
  stream: ExecStream,
  error: unknown,
  pod: { namespace: string; name: string },
): Promise<unknown> {
  if (!isConnectionLost(error)) return error;
  const status = await stream.status.catch((reason: unknown) => reason);
  if (BuilderError.isInstance(status)) return status;
  const said = stream.stderrTail.trim();
  return new BuilderError({
    code: "POD_LOST",
    message: `buildkitd in pod ${pod.namespace}/${pod.name} did not answer${said === "" ? "" : `: ${said}`}. Read its log: kubectl logs -n ${pod.namespace} ${pod.name}.`,
    details: { namespace: pod.namespace, pod: pod.name, events: [] },
    cause: error,
  });
}
