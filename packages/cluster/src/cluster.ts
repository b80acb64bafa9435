import type { Duplex } from "node:stream";

import type { Logger } from "@slipway/core";

import type { LogLine, LogTarget } from "./logs/log-line.ts";
import type { AccessRule, PolicyRule } from "./rest/access-review.ts";
import type { ClusterCall } from "./rest/api-client.ts";
import type { KubernetesObject, Pod, ResourceReference } from "./rest/kubernetes-object.ts";
import type { ResourceClient } from "./rest/resource-client.ts";
import type { ExecStream } from "./streams/exec-stream.ts";
import type { AttachTarget, ExecTarget } from "./streams/remote-command.ts";
import type { PortForwardTarget } from "./streams/port-forward.ts";
import type { WaitForPodOptions } from "./watch/wait-for-pod.ts";
import type { WaitForOptions } from "./watch/wait-for.ts";
import type { WatchEvent, WatchOptions } from "./watch/watch.ts";

/** Which cluster, as whom. */
export interface ClusterOptions {
  /**
   * Path of a kubeconfig.
   *
   * @defaultValue as kubectl: the files in `KUBECONFIG` merged, else `~/.kube/config`, else the service account of the pod that this
   * process runs in
   */
  readonly kubeconfig?: string | undefined;
  /** @defaultValue the current context of the kubeconfig */
  readonly context?: string | undefined;
  /** For everything that names no namespace itself. @defaultValue that of the context, else `default` */
  readonly namespace?: string | undefined;
  /** Takes diagnostics. @defaultValue none */
  readonly logger?: Logger | undefined;
}

/** A connection to a Kubernetes cluster: one pool of connections and one set of credentials, which it keeps fresh. */
export interface Cluster extends ResourceClient, AsyncDisposable {
  /** Address of the API server. */
  readonly server: string;
  readonly namespace: string;
  /** `undefined` inside a pod. */
  readonly context?: string | undefined;
  /** Name of the user in the kubeconfig. */
  readonly user?: string | undefined;
  /** Which of these the user may not do; one question for each verb on each resource, all at once. */
  canI(rules: readonly (AccessRule | PolicyRule)[], call?: ClusterCall): Promise<readonly AccessRule[]>;
  /** Starts a process in a pod. `signal` ends the connection, also once it is open. */
  exec(target: ExecTarget, call?: ClusterCall): Promise<ExecStream>;
  /** Joins the first process of a container. */
  attach(target: AttachTarget, call?: ClusterCall): Promise<ExecStream>;
  /**
   * A connection to a port of a pod. The protocol cannot close one direction alone: `end()` sends what is written and then nothing more,
   * and only `destroy()` closes the connection.
   */
  portForward(target: PortForwardTarget, call?: ClusterCall): Promise<Duplex>;
  /** The log of a container so far. */
  readLog(target: LogTarget, call?: ClusterCall): Promise<string>;
  /** The log of a container, line by line until it ends. Reconnects by itself; each line comes once. */
  followLog(target: LogTarget, call?: ClusterCall): AsyncIterable<LogLine>;
  /** Objects as they come, change and go. Reconnects by itself; no change of state is lost. */
  watch<T extends KubernetesObject>(
    resource: ResourceReference,
    options?: WatchOptions<T>,
  ): AsyncIterable<WatchEvent<T>>;
  /** Waits until the objects are as `until` wants them. */
  waitFor<T extends KubernetesObject, Result>(
    resource: ResourceReference,
    options: WaitForOptions<T, Result>,
  ): Promise<Result>;
  /** Waits for a pod, and fails at once with the reason if it never will be as wanted. */
  waitForPod<Result = Pod>(options: WaitForPodOptions<Result>): Promise<Result>;
  /** Ends all streams and connections. */
  close(): Promise<void>;
}
