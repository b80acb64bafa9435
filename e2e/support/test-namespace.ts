import { randomBytes } from "node:crypto";

import { connectCluster, type Cluster } from "@slipway/cluster";
import type { BuildkitDriverOptions } from "@slipway/buildkit-driver";

import { ensureCluster, type TestCluster } from "../../dev-cluster/src/index.ts";

/** A namespace of a test's own; disposing deletes it with all that is in it. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  readonly testCluster: TestCluster;
  readonly cluster: Cluster;
  /** What a BuildKit driver needs to build in this namespace and to push to the cluster's registry. */
  readonly driverOptions: BuildkitDriverOptions;
  /** `registry/repository` for images of this test. */
  readonly repository: string;
}

/** Makes a namespace on the e2e cluster. */
export async function createTestNamespace(): Promise<TestNamespace> {
  const testCluster = await ensureCluster();
  const name = `slipway-e2e-${randomBytes(4).toString("hex")}`;
  const { kubeconfigPath: kubeconfig, context, images, registry } = testCluster;
  const cluster = await connectCluster({ kubeconfig, context, namespace: name });
  await cluster.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return {
    name,
    testCluster,
    cluster,
    repository: `${registry.clusterHost}/e2e/${name}`,
    driverOptions: {
      kubeconfig,
      context,
      namespace: name,
      image: images.buildkit,
      registries: { [registry.clusterHost]: { http: true } },
    },
    [Symbol.asyncDispose]: async () => {
      await cluster.delete({ apiVersion: "v1", kind: "Namespace", name });
      await cluster.close();
    },
  };
}
