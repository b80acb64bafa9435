import type { ClusterCall } from "../rest/api-client.ts";
import type { KubernetesEvent } from "../rest/kubernetes-object.ts";
import type { ResourceClient } from "../rest/resource-client.ts";

const keptEvents = 10;
/** Events of type Normal that explain an end. */
const tellingReasons = new Set([
  "Killing",
  "Preempted",
  "Evicted",
  "TaintManagerEviction",
  "NotTriggerScaleUp",
  "TriggeredScaleUp",
]);

function timeOf(event: KubernetesEvent): string {
  return (
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp ?? ""
  );
}

/** The events that tell why a pod is as it is, oldest first, each as one line: `FailedScheduling (x3): 0/2 nodes are available`. */
export function describeEvents(events: readonly KubernetesEvent[]): readonly string[] {
  return [...events]
    .filter(({ type, reason }) => type === "Warning" || tellingReasons.has(reason ?? ""))
    .sort((one, other) => timeOf(one).localeCompare(timeOf(other)))
    .slice(-keptEvents)
    .map(({ reason, message, count, series }) => {
      const times = series?.count ?? count ?? 1;
      return `${reason ?? "Event"}${times > 1 ? ` (x${times})` : ""}: ${(message ?? "").trim()}`;
    });
}

/**
 * The events about a pod. They outlive it, for an hour by default.
 *
 * @returns none if the user may not list events
 */
export async function podEvents(
  client: Pick<ResourceClient, "list">,
  pod: { readonly namespace: string; readonly name: string; readonly uid?: string | undefined },
  call: ClusterCall = {},
): Promise<KubernetesEvent[]> {
  const selectors = ["involvedObject.kind=Pod", `involvedObject.name=${pod.name}`];
  if (pod.uid !== undefined) selectors.push(`involvedObject.uid=${pod.uid}`);
  const resource = { apiVersion: "v1", kind: "Event", namespace: pod.namespace };
  try {
    return (await client.list<KubernetesEvent>(resource, { ...call, fieldSelector: selectors.join(",") })).items;
  } catch (error) {
    if (call.signal?.aborted) throw error;
    return [];
  }
}
