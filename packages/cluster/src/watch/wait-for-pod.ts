import type { BuilderError } from "@slipway/core";

import { diagnosePod, podError } from "../pods/pod-diagnosis.ts";
import { podEvents } from "../pods/pod-events.ts";
import type { ClusterCall } from "../rest/api-client.ts";
import { apiStatusOf } from "../rest/api-status.ts";
import type { Pod } from "../rest/kubernetes-object.ts";
import { deadlineSignal, waitForObjects } from "./wait-for.ts";
import type { WaitSource } from "./wait-for.ts";

/** Which pod, and how it shall be. */
export interface WaitForPodOptions<Result = Pod> extends ClusterCall {
  readonly namespace: string;
  readonly name: string;
  /** Anything but `undefined` ends the wait. @defaultValue the pod, once it is Ready */
  readonly until?: ((pod: Pod) => Result | undefined) | undefined;
  /** When it has passed, the wait fails with whatever holds the pod up. @defaultValue 300000 */
  readonly timeoutMs?: number | undefined;
  /**
   * For how long a pod may have no node, or fail to pull its image, before the wait fails: clusters that scale by themselves need minutes
   * to add a node.
   *
   * @defaultValue `timeoutMs`
   */
  readonly graceMs?: number | undefined;
  /** Names of Secrets that were created right after the pod, and are there: that a volume lacked one is past. @defaultValue none */
  readonly createdAlong?: readonly string[] | undefined;
}

/** Whether the pod takes work. */
export function isPodReady(pod: Pod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false;
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Waits for a pod; {@link diagnosePod} says when that is hopeless. */
export async function waitForPod<Result = Pod>(
  source: WaitSource,
  options: WaitForPodOptions<Result>,
): Promise<Result> {
  const { namespace, name, createdAlong, timeoutMs = 300_000 } = options;
  const graceMs = Math.min(options.graceMs ?? timeoutMs, timeoutMs);
  const until = options.until ?? ((pod: Pod) => (isPodReady(pod) ? (pod as Result) : undefined));
  const startedAtMs = performance.now();
  let last: Pod | undefined;
  let seen = false;

  const failure = async (pod: Pod | undefined, onlyFinal: boolean): Promise<BuilderError | undefined> => {
    // Events cost a request: they are asked for only when there is something to explain.
    const first = diagnosePod(pod, [], { namespace, name });
    if (onlyFinal && !first?.final) return undefined;
    const events = await podEvents(source, { namespace, name, uid: pod?.metadata?.uid }, { signal: options.signal });
    const diagnosis = diagnosePod(pod, events, { namespace, name, createdAlong });
    return diagnosis && podError(diagnosis);
  };
  const look = async ([pod]: readonly Pod[]): Promise<{ readonly value: Result } | undefined> => {
    last = pod ?? last;
    if (!pod && !seen) return undefined;
    seen = true;
    const value = pod && until(pod);
    if (value !== undefined) return { value };
    const error = await failure(pod, performance.now() - startedAtMs < graceMs);
    if (error) throw error;
    return undefined;
  };

  const deadline = deadlineSignal(graceMs, `Pod ${namespace}/${name}`, options.signal);
  const resource = { apiVersion: "v1", kind: "Pod", namespace };
  const fieldSelector = `metadata.name=${name}`;
  try {
    return (
      await waitForObjects<Pod, { value: Result }>(source, resource, {
        fieldSelector,
        signal: deadline.signal,
        until: look,
      })
    ).value;
  } catch (error) {
    // Past the grace, what merely held the pod up is the reason.
    const isDeadline = deadline.signal.aborted && !options.signal?.aborted && apiStatusOf(error) === undefined;
    const reason = isDeadline ? await failure(last, false) : undefined;
    if (reason || !isDeadline || graceMs >= timeoutMs) throw reason ?? error;
    return await waitForPod(source, { ...options, timeoutMs: timeoutMs - graceMs, graceMs: timeoutMs - graceMs });
  } finally {
    deadline.clear();
  }
}
