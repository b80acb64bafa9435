import { BuilderError } from "@slipway/core";

import type { ApiConnection, ClusterCall } from "../rest/api-client.ts";
import { connectionLost } from "../rest/api-error.ts";
import { apiPath } from "../rest/api-resource.ts";
import { apiStatusOf } from "../rest/api-status.ts";
import { remoteCommandProtocols } from "./channel-protocol.ts";
import { createExecStream } from "./exec-stream.ts";
import type { ExecStream } from "./exec-stream.ts";
import type { KeepAliveOptions } from "./keep-alive.ts";
import { openStreamSocket } from "./stream-socket.ts";

/** A container of a running pod. */
export interface ContainerTarget {
  readonly namespace: string;
  readonly pod: string;
  /** @defaultValue the pod's first, or the one that its annotation `kubectl.kubernetes.io/default-container` names */
  readonly container?: string | undefined;
}

/** A process to start in a container. */
export interface ExecTarget extends ContainerTarget {
  /** Program and arguments; no shell is involved unless it is one. */
  readonly command: readonly string[];
  /**
   * Whether to open stdin.
   *
   * A process that closes or redirects its stdout or stderr loses the rest of its stdin, with exit code 0 (containerd#12734): keep a
   * parent shell, `sh -c 'cat >file; rc=$?; cat >/dev/null; exit $rc'`, or use `sendVerified`.
   *
   * @defaultValue true
   */
  readonly stdin?: boolean | undefined;
}

/** The first process of a container, to attach to. How it ends is in the status of its pod: that of the stream has the exit code 0. */
export interface AttachTarget extends ContainerTarget {
  /** The container must have `stdin: true`. @defaultValue true */
  readonly stdin?: boolean | undefined;
}

/** What a lost connection is explained with. */
export interface RemoteCommandServices {
  /** Looks why the pod is lost; `undefined` if it is not, or cannot be asked. */
  readonly diagnoseLoss: (target: ContainerTarget) => Promise<BuilderError | undefined>;
  /** @throws BuilderError if the pod is gone, or the API server is */
  readonly checkPod: (target: ContainerTarget) => Promise<void>;
  readonly keepAlive?: KeepAliveOptions;
}

function podGone(target: ContainerTarget, cause: unknown): BuilderError {
  const { namespace, pod } = target;
  return new BuilderError({
    code: "POD_LOST",
    message: `Pod ${namespace}/${pod} is not there any more. Start it again.`,
    details: { namespace, pod, events: [] },
    cause,
  });
}

/**
 * Starts a process in a pod (`exec`), or joins its first one (`attach`).
 *
 * @throws BuilderError; POD_LOST if there is no such pod
 */
export async function openRemoteCommand(
  connection: ApiConnection,
  subresource: "exec" | "attach",
  target: ContainerTarget & { readonly command?: readonly string[]; readonly stdin?: boolean | undefined },
  services: RemoteCommandServices,
  call: ClusterCall,
): Promise<ExecStream> {
  const { namespace, pod, container, command } = target;
  const request = {
    path: apiPath({ apiVersion: "v1", plural: "pods", namespace, name: pod, subresource }),
    query: { container, command, stdin: target.stdin ?? true, stdout: true, stderr: true },
    protocols: remoteCommandProtocols,
    action: { verb: "create", resource: `pods/${subresource}`, namespace, name: pod },
  };
  let socket;
  try {
    socket = await openStreamSocket(connection, request, call);
  } catch (error) {
    const status = apiStatusOf(error);
    const isMissing = status?.code === 404 && status.details?.kind === "pods";
    if (isMissing) throw podGone(target, error);
    throw (await services.diagnoseLoss(target)) ?? error;
  }
  return createExecStream(socket, {
    signal: call.signal,
    explainLoss: async (reason) =>
      (await services.diagnoseLoss(target)) ??
      connectionLost(connection.server, `${subresource} in pod ${namespace}/${pod}`, new Error(reason)),
    checkPod: () => services.checkPod(target),
    ...(services.keepAlive ? { keepAlive: services.keepAlive } : {}),
  });
}
