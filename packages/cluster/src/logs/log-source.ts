import { send } from "../rest/api-client.ts";
import type { ApiConnection } from "../rest/api-client.ts";
import { apiPath } from "../rest/api-resource.ts";
import type { Pod } from "../rest/kubernetes-object.ts";
import type { ResourceClient } from "../rest/resource-client.ts";
import type { WaitForPodOptions } from "../watch/wait-for-pod.ts";
import type { LogSource } from "./follow-log.ts";

const startTimeoutMs = 300_000;

function hasStarted(pod: Pod, container: string | undefined): boolean {
  const { containerStatuses = [], initContainerStatuses = [], phase } = pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return true;
  const status = [...containerStatuses, ...initContainerStatuses].find(
    ({ name }) => container === undefined || name === container,
  );
  return [status?.state, status?.lastState].some(
    (state) => state?.running !== undefined || state?.terminated !== undefined,
  );
}

/** The requests that reading a log needs. */
export function createLogSource(
  connection: ApiConnection,
  client: ResourceClient,
  wait: (options: WaitForPodOptions) => Promise<Pod>,
): LogSource {
  return {
    server: connection.server,
    dropIdle: () => connection.pool.dropIdle(),
    open: (target, { follow, timestamps, headTimeoutMs }, { signal }) => {
      const { namespace, pod, container, sinceTime, tailLines, previous } = target;
      const request = {
        method: "GET" as const,
        path: apiPath({ apiVersion: "v1", plural: "pods", namespace, name: pod, subresource: "log" }),
        query: { container, sinceTime, tailLines, follow, timestamps, previous: previous || undefined },
        action: { verb: "get", resource: "pods/log", namespace, name: pod },
      };
      return send(connection, request, { signal }, headTimeoutMs === undefined ? undefined : { headMs: headTimeoutMs });
    },
    pod: ({ namespace, pod: name }, { signal }) =>
      client.get<Pod>({ apiVersion: "v1", kind: "Pod", namespace, name }, { signal }),
    waitForStart: ({ namespace, pod: name, container }, { signal }) =>
      wait({
        namespace,
        name,
        signal,
        timeoutMs: startTimeoutMs,
        until: (pod) => (hasStarted(pod, container) ? pod : undefined),
      }),
  };
}
