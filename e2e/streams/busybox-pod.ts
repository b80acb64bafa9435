import type { Pod } from "@slipway/cluster";

import type { TestNamespace } from "../support/test-namespace.ts";

/** Starts a busybox pod that runs a shell script, and waits until it has started. */
export async function startBusyboxPod(
  { cluster, name: namespace, testCluster }: TestNamespace,
  name: string,
  script: string,
): Promise<void> {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: "main",
          image: testCluster.images.busybox,
          imagePullPolicy: "IfNotPresent",
          command: ["sh", "-c", script],
        },
      ],
    },
  };
  await cluster.create(pod);
  const hasStarted = ({ status }: Pod): true | undefined => (status?.phase === "Pending" ? undefined : true);
  await cluster.waitForPod({ namespace, name, until: hasStarted, timeoutMs: 60_000 });
}
