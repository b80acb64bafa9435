import { createCredentialSource } from "./auth/credential-source.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { abortError, orAborted } from "./connection/abort-error.ts";
import { createAgentPool } from "./connection/agent-pool.ts";
import { createDialer } from "./connection/dialer.ts";
import { loadConnectionTarget } from "./kubeconfig/load-kubeconfig.ts";
import { followContainerLog } from "./logs/follow-log.ts";
import type { FollowLogOptions } from "./logs/follow-log.ts";
import type { LogTarget } from "./logs/log-line.ts";
import { createLogSource } from "./logs/log-source.ts";
import { createLossDiagnosis } from "./pods/loss-diagnosis.ts";
import { accessRules, forbiddenRules } from "./rest/access-review.ts";
import { readBody } from "./rest/api-client.ts";
import type { ApiConnection, ClusterCall } from "./rest/api-client.ts";
import type { KubernetesObject, Pod, ResourceReference } from "./rest/kubernetes-object.ts";
import { createResourceClient } from "./rest/resource-client.ts";
import { openPortForward } from "./streams/port-forward.ts";
import { openRemoteCommand } from "./streams/remote-command.ts";
import { waitForPod } from "./watch/wait-for-pod.ts";
import type { WaitForPodOptions } from "./watch/wait-for-pod.ts";
import { waitForObjects } from "./watch/wait-for.ts";
import type { WaitForOptions } from "./watch/wait-for.ts";
import { createWatchSource } from "./watch/watch-source.ts";
import { watchObjects } from "./watch/watch.ts";
import type { WatchOptions } from "./watch/watch.ts";

/**
 * Finds a cluster as kubectl does, and makes a connection to it. Nothing is sent yet: that the server can be reached, and takes the
 * credentials, shows at the first call.
 *
 * @throws BuilderError with code KUBECONFIG_INVALID
 */
export async function connectCluster(options: ClusterOptions = {}, call: ClusterCall = {}): Promise<Cluster> {
  const environment = process.env;
  const { kubeconfig, context, logger } = options;
  const target = await orAborted(loadConnectionTarget({ kubeconfig, context, environment }), call.signal);
  const closed = new AbortController();
  const dialer = await createDialer(target.cluster, environment);
  const pool = createAgentPool(dialer);
  const connection: ApiConnection = {
    server: target.cluster.server,
    user: target.userName,
    url: dialer.server,
    pool,
    closed: closed.signal,
    credentials: createCredentialSource(target, environment, closed.signal),
  };
  logger?.debug("cluster chosen", { server: connection.server, context: target.context, user: target.userName });
  return createCluster(connection, {
    context: target.context,
    namespace: options.namespace ?? target.namespace ?? "default",
    closed,
  });
}

interface ClusterIdentity {
  readonly context: string | undefined;
  readonly namespace: string;
  /** Fires when the cluster is closed. */
  readonly closed: AbortController;
}

function createCluster(connection: ApiConnection, { context, namespace, closed }: ClusterIdentity): Cluster {
  const client = createResourceClient(connection, namespace);
  /** Closing ends what is open, as the caller's signal does. */
  const withClose = <Call extends ClusterCall>(call: Call | undefined): Call & { readonly signal: AbortSignal } => {
    const signal = call?.signal ? AbortSignal.any([call.signal, closed.signal]) : closed.signal;
    if (signal.aborted) throw abortError(signal);
    return { ...(call as Call), signal };
  };
  const services = createLossDiagnosis(client);
  const logs = createLogSource(connection, client, (options) => waitForPod(waitSource, options));
  const watch = <T extends KubernetesObject>(resource: ResourceReference, options?: WatchOptions<T>) =>
    watchObjects<T>(createWatchSource<T>(connection, client, resource, namespace), resource, withClose(options));
  const waitSource = { ...client, watch };
  const close = (): Promise<void> => {
    closed.abort(new DOMException("the cluster connection was closed", "AbortError"));
    connection.pool.close();
    return Promise.resolve();
  };
  return {
    ...client,
    server: connection.server,
    namespace,
    context,
    user: connection.user,
    canI: (rules, call) => forbiddenRules(client, namespace, accessRules(rules), withClose(call)),
    exec: async (target, call) => openRemoteCommand(connection, "exec", target, services, withClose(call)),
    attach: async (target, call) => openRemoteCommand(connection, "attach", target, services, withClose(call)),
    portForward: async (target, call) => openPortForward(connection, target, withClose(call)),
    readLog: async (target: LogTarget, call) =>
      readBody(await logs.open(target, { follow: false, timestamps: false }, withClose(call))),
    followLog: (target: LogTarget, call?: FollowLogOptions) => followContainerLog(logs, target, withClose(call)),
    watch,
    waitFor: async <T extends KubernetesObject, Result>(
      resource: ResourceReference,
      options: WaitForOptions<T, Result>,
    ) => waitForObjects<T, Result>(waitSource, resource, withClose(options)),
    waitForPod: async <Result = Pod>(options: WaitForPodOptions<Result>) =>
      waitForPod<Result>(waitSource, withClose(options)),
    close,
    [Symbol.asyncDispose]: close,
  };
}
