import type { Cluster, Pod } from "slipway/cluster";

/** Runs an image once as a pod on one node, and resolves with what it printed. */
export async function runOnNode(
  cluster: Cluster,
  node: string,
  image: string,
  call: { readonly signal: AbortSignal },
): Promise<string> {
  const pod = await cluster.create<Pod>(helloPod(cluster.namespace, node, image), call);
  const target = { namespace: cluster.namespace, name: pod.metadata?.name ?? "" };
  try {
    await cluster.waitForPod({
      ...target,
      ...call,
      timeoutMs: 60_000,
      until: ({ status }) => (status?.phase === "Succeeded" ? true : undefined),
    });
    return (await cluster.readLog({ namespace: target.namespace, pod: target.name }, call)).trim();
  } finally {
    await cluster.delete({ apiVersion: "v1", kind: "Pod", ...target }, { gracePeriodSeconds: 0 });
  }
}

function helloPod(namespace: string, node: string, image: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `hello-${node}`, namespace },
    spec: {
      nodeName: node,
      restartPolicy: "Never",
      activeDeadlineSeconds: 60,
      automountServiceAccountToken: false,
      containers: [{ name: "hello", image, args: [node] }],
    },
  };
}
