/**
 * The embedded cluster: a genuine Kubernetes with two nodes on this machine, for tests, benches and the demo.
 *
 * @packageDocumentation
 */
export { type ClusterChoice } from "./cluster-context.ts";
export { clusterDown, ensureCluster, readCluster } from "./ensure-cluster.ts";
export { ensureProgram } from "./ensure-program.ts";
export { ClusterFailure, describeFailure, exitWithFailure } from "./failure.ts";
export { ensureKanikoImage } from "./kaniko-image.ts";
export { type RegistryAddress } from "./registry-manifests.ts";
export { type TestCluster } from "./test-cluster.ts";
