import { connectBuildkit, isConnectionLost, type BuildkitClient } from "@slipway/buildkit-client";
import type { Cluster, ExecStream } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import { buildkitContainer } from "./workload.ts";

/** Connects to the daemon in a pod: `buildctl dial-stdio` joins stdin and stdout to its socket, so that no port has to be open. */
export async function dialBuildkit(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  call: { readonly signal: AbortSignal },
): Promise<BuildkitClient> {
  const target = { namespace: pod.namespace, pod: pod.name, container: buildkitContainer };
  const dialling = cluster.exec({ ...target, command: ["buildctl", "dial-stdio"] }, call);
  try {
    // The client's code loads while the connection is made.
    return await connectBuildkit(
      dialling.then(({ stdio }) => stdio),
      call,
    );
  } catch (error) {
    throw await dialError(await dialling, error, pod);
  }
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
