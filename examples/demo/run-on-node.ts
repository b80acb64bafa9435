import type { Cluster, KubernetesObject } from "slipway/cluster";

interface Pod extends KubernetesObject {
  readonly status?: { readonly phase?: string };
}

/** Runs an image once as a pod on one node, and resolves with what it printed. */
export async function runOnNode(cluster: Cluster, namespace: string, node: string, image: string, signal: AbortSignal): Promise<string> {
  const name = `hello-${node}`;
  await cluster.create<Pod>(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace },
      spec: {
        nodeName: node,
        restartPolicy: "Never",
        activeDeadlineSeconds: 60,
        automountServiceAccountToken: false,
        containers: [{ name: "hello", image, args: [node] }],
      },
    },
    { signal },
  );
  try {
    await cluster.waitFor<Pod>(
      { apiVersion: "v1", kind: "Pod", name, namespace },
      (pod) => pod?.status?.phase === "Succeeded" || pod?.status?.phase === "Failed",
      { signal },
    );
    let output = "";
    for await (const line of cluster.followLog({ namespace, pod: name }, { signal })) output += `${line.text}\n`;
    return output.trim();
  } finally {
    await cluster.delete({ apiVersion: "v1", kind: "Pod", name, namespace }, { gracePeriodSeconds: 0 });
  }
}
