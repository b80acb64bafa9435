import type { IncomingMessage } from "node:http";

import { BuilderError } from "@slipway/core";

import { abortError, delay } from "../connection/abort-error.ts";
import { createBackoff } from "../connection/backoff.ts";
import { orIdle, readLines } from "../connection/lines.ts";
import { connectionLost } from "../rest/api-error.ts";
import type { ClusterCall } from "../rest/api-client.ts";
import { apiStatusOf } from "../rest/api-status.ts";
import type { Pod } from "../rest/kubernetes-object.ts";
import { readAhead } from "./bounded-buffer.ts";
import { parseLogLine } from "./log-line.ts";
import type { LogLine, LogTarget } from "./log-line.ts";
import { createLogPosition } from "./log-position.ts";

/** How a log is asked for. */
export interface LogRequestOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** The kubelet sends no head before the first line. */
  readonly headTimeoutMs?: number;
}

/** How following a log talks to the API server. */
export interface LogSource {
  readonly server: string;
  open(target: LogTarget, options: LogRequestOptions, call: ClusterCall): Promise<IncomingMessage>;
  /** The connection may have been silently dead; others may be. */
  dropIdle(): void;
  /** `undefined` if the pod is gone. */
  pod(target: LogTarget, call: ClusterCall): Promise<Pod | undefined>;
  /** The pod once the container has started, or ended. Rejects if it never will. */
  waitForStart(target: LogTarget, call: ClusterCall): Promise<Pod>;
}

/** How patient following a log is. */
export interface FollowLogOptions extends ClusterCall {
  /** After so long without a line the connection is opened anew, in case it is half-open. @defaultValue 120000 */
  readonly idleTimeoutMs?: number;
  /** For how long the API server may be unreachable. @defaultValue 60000 */
  readonly giveUpAfterMs?: number;
}

const readAheadBytes = 64 * 1024 * 1024;

interface ContainerState {
  readonly id: string | undefined;
  readonly hasEnded: boolean;
}

function containerState(pod: Pod, container: string | undefined): ContainerState {
  const { containerStatuses = [], initContainerStatuses = [], phase } = pod.status ?? {};
  const statuses = [...containerStatuses, ...initContainerStatuses];
  const status = container === undefined ? statuses[0] : statuses.find(({ name }) => name === container);
  const isOver = phase === "Succeeded" || phase === "Failed";
  return { id: status?.containerID, hasEnded: isOver || status?.state?.terminated !== undefined };
}

function podGone({ namespace, pod }: LogTarget): BuilderError {
  const message = `Pod ${namespace}/${pod} was deleted while its log was read. What it printed last is lost.`;
  return new BuilderError({ code: "POD_LOST", message, details: { namespace, pod, events: [] } });
}

/**
 * Follows the log of one run of a container until it ends: through lost connections, the end of a connection that is none of the
 * container, and silence.
 *
 * @throws BuilderError from the iteration: ABORTED, POD_LOST, CLUSTER_UNREACHABLE, FORBIDDEN and the like
 */
export async function* followContainerLog(
  source: LogSource,
  target: LogTarget,
  options: FollowLogOptions,
): AsyncGenerator<LogLine> {
  const { signal, idleTimeoutMs = 120_000, giveUpAfterMs = 60_000 } = options;
  const position = createLogPosition();
  const backoff = createBackoff();
  let workedAtMs = performance.now();
  const { id: containerId } = containerState(await source.waitForStart(target, { signal }), target.container);
  let isLast = false;
  let usePrevious = target.previous ?? false;

  while (true) {
    if (signal?.aborted) throw abortError(signal);
    let response: IncomingMessage | undefined;
    let rest: Buffer | undefined;
    try {
      const { sinceTime } = position;
      const from = sinceTime === undefined ? target : { ...target, sinceTime, tailLines: undefined };
      const how = { follow: !isLast, timestamps: true, headTimeoutMs: idleTimeoutMs };
      response = await source.open({ ...from, previous: usePrevious }, how, { signal });
      workedAtMs = performance.now();
      position.resume();
      const lines = readLines(
        readAhead(
          orIdle(response, idleTimeoutMs, () => source.dropIdle()),
          readAheadBytes,
        ),
        (bytes) => (rest = bytes),
      );
      for await (const bytes of lines) {
        const line = parseLogLine(bytes.toString("utf8"));
        const told = line && position.accept(line);
        workedAtMs = performance.now();
        backoff.reset();
        if (told) yield told;
      }
      if (isLast) {
        // Without a line feed it is a line only if nothing can follow.
        const line = rest && parseLogLine(rest.toString("utf8"));
        const told = line && position.accept(line);
        if (told) yield told;
        return;
      }
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (BuilderError.isInstance(error) && error.code !== "CLUSTER_UNREACHABLE" && !isWaiting(error)) throw error;
      if (performance.now() - workedAtMs > giveUpAfterMs + idleTimeoutMs) throw asError(error, source, target);
      await delay(backoff.nextMs(), signal);
    } finally {
      response?.destroy();
    }
    try {
      // An end says nothing by itself: the kubelet also ends what it has served for four hours, and whoever reads slowly.
      const pod = await source.pod(target, { signal });
      if (!pod) throw podGone(target);
      const state = containerState(pod, target.container);
      const isAnother = containerId !== undefined && state.id !== containerId;
      usePrevious ||= isAnother;
      isLast = isAnother || state.hasEnded;
    } catch (error) {
      if (!BuilderError.isInstance(error) || error.code !== "CLUSTER_UNREACHABLE") throw error;
      if (performance.now() - workedAtMs > giveUpAfterMs + idleTimeoutMs) throw error;
    }
    if (!isLast) await delay(backoff.nextMs(), signal);
  }
}

/** `container "c" in pod "p" is waiting to start`: between two runs, or before the first. */
function isWaiting(error: unknown): boolean {
  return apiStatusOf(error)?.code === 400;
}

function asError(error: unknown, source: LogSource, { namespace, pod }: LogTarget): BuilderError {
  return BuilderError.isInstance(error)
    ? error
    : connectionLost(source.server, `log of pod ${namespace}/${pod}`, error);
}
