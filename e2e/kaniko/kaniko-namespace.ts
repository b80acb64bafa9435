import { createHash } from "node:crypto";
import { buffer, text } from "node:stream/consumers";

import type { Pod } from "@slipway/cluster";
import type { KanikoDriverOptions } from "@slipway/kaniko-driver";
import { manifestMediaTypes, parseImageReference } from "@slipway/registry-client";

import { ensureKanikoImage } from "../../dev-cluster/src/index.ts";
import { createTestNamespace, type TestNamespace } from "../support/test-namespace.ts";

const manifestTypes = manifestMediaTypes.join(", ");
const probe = "probe";
export const buildIdLabel = "slipway.dev/build-id";

/** A namespace that lets no privileged pod in, with a pod that looks past the driver at what is really there. */
export interface KanikoNamespace extends AsyncDisposable {
  readonly namespace: TestNamespace;
  readonly driverOptions: KanikoDriverOptions;
  /** The pods of a build, or of all. */
  pods(buildId?: string): Promise<readonly Pod[]>;
  /** Whether the executor of a build runs a `RUN`. */
  isBuildAlive(buildId: string): Promise<boolean>;
  /** What a registry serves at a path below `/v2/`; undefined if nothing. */
  registryContent(registry: string, path: string): Promise<Buffer | undefined>;
  resolveDigest(reference: string): Promise<string | undefined>;
}

/** Makes the namespace; Pod Security is enforced at the level that the driver promises to need. */
export async function createKanikoNamespace(): Promise<KanikoNamespace> {
  const namespace = await createTestNamespace();
  const { cluster, name, testCluster } = namespace;
  const labels = { "pod-security.kubernetes.io/enforce": "baseline" };
  await cluster.patch({ apiVersion: "v1", kind: "Namespace", name }, { metadata: { labels } });
  const image = await ensureKanikoImage(testCluster, (line) => console.log(line));
  await cluster.create(probePod(testCluster.images.busybox));
  await cluster.waitForPod({ namespace: name, name: probe });
  const pods = async (buildId?: string): Promise<readonly Pod[]> => {
    const labelSelector = buildId === undefined ? buildIdLabel : `${buildIdLabel}=${buildId}`;
    return (await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, { labelSelector })).items;
  };
  const registryContent = async (registry: string, path: string): Promise<Buffer | undefined> => {
    const command = ["wget", "-q", "-O", "-", "--header", `Accept: ${manifestTypes}`, `http://${registry}/v2/${path}`];
    const stream = await cluster.exec({ namespace: name, pod: probe, command, stdin: false });
    const content = await buffer(stream.stdio);
    return content.length === 0 ? undefined : content;
  };
  return {
    namespace,
    pods,
    registryContent,
    driverOptions: {
      kubeconfig: testCluster.kubeconfigPath,
      context: testCluster.context,
      namespace: name,
      image,
      executor: { flavour: "google", version: "v1.24.0" },
      images: { helper: testCluster.images.busybox },
      registries: { [testCluster.registry.clusterHost]: { http: true } },
    },
    isBuildAlive: async (buildId) => {
      const [pod] = await pods(buildId);
      if (pod?.metadata?.name === undefined) return false;
      const isRunning = pod.status?.containerStatuses?.some(
        (status) => status.name === "executor" && status.state?.running !== undefined,
      );
      if (isRunning !== true) return false;
      const log = await cluster.readLog({ namespace: name, pod: pod.metadata.name, container: "executor" });
      return log.includes("Running: [");
    },
    resolveDigest: async (reference) => {
      const { registry, repository, tag, digest } = parseImageReference(reference);
      const manifest = await registryContent(registry, `${repository}/manifests/${digest ?? tag ?? "latest"}`);
      return manifest && `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
    },
    [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
  };
}

function probePod(image: string): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: probe },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: probe, image, command: ["sleep", "86400"] }],
    },
  };
}

/** What a command in the probe prints. */
export async function inProbe({ cluster, name }: TestNamespace, command: readonly string[]): Promise<string> {
  const stream = await cluster.exec({ namespace: name, pod: probe, command, stdin: false });
  return text(stream.stdio);
}
