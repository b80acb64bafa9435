import type { BuilderError } from "@slipway/core";

import type { Pod } from "../rest/kubernetes-object.ts";
import type { ResourceClient } from "../rest/resource-client.ts";
import type { ContainerTarget, RemoteCommandServices } from "../streams/remote-command.ts";
import { diagnosePod, podError } from "./pod-diagnosis.ts";
import { podEvents } from "./pod-events.ts";

/** A failure is told late rather than never: within this, the reason is looked for. */
const lookTimeoutMs = 4000;
/** The end of a container is in its status some moments after its connections have ended. */
const recentMs = 30_000;

/** Explains the end of a stream by the state of its pod. */
export function createLossDiagnosis(client: ResourceClient): RemoteCommandServices {
  const look = async ({ namespace, pod: name }: ContainerTarget): Promise<BuilderError | undefined> => {
    const signal = AbortSignal.timeout(lookTimeoutMs);
    const pod = await client.get<Pod>({ apiVersion: "v1", kind: "Pod", namespace, name }, { signal });
    const options = { namespace, name, sinceMs: Date.now() - recentMs };
    if (!diagnosePod(pod, [], options)?.final) return undefined;
    const events = await podEvents(client, { namespace, name, uid: pod?.metadata?.uid }, { signal });
    const diagnosis = diagnosePod(pod, events, options);
    return diagnosis && podError(diagnosis);
  };
  return {
    diagnoseLoss: async (target) => {
      try {
        return await look(target);
      } catch {
        // Then the loss is all that is known.
        return undefined;
      }
    },
    checkPod: async (target) => {
      const error = await look(target);
      if (error) throw error;
    },
  };
}
