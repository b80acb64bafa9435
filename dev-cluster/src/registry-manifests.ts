/** Where the cluster's registry is found. */
export interface RegistryAddress {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** What pods push to; plain HTTP. */
  readonly clusterHost: string;
  /** What nodes pull from: the NodePort answers on each node's 127.0.0.1, which needs no TLS. */
  readonly nodeHost: string;
}

const namespace = "slipway-dev";
const port = 5000;
const nodePort = 30500;

/** The address is the same in every cluster: Services and NodePorts are its own. */
export const registryAddress: RegistryAddress = {
  namespace,
  service: "registry",
  port,
  clusterHost: `registry.${namespace}.svc:${port}`,
  nodeHost: `127.0.0.1:${nodePort}`,
};

/** References of the images that are seeded into the registry, to be used in `FROM`. */
export const seededBases = {
  busybox: `${registryAddress.clusterHost}/base/busybox:1`,
  cBase: `${registryAddress.clusterHost}/base/c:1`,
} as const;

/** An object and the path of the API server at which it is applied. */
export interface Manifest {
  readonly path: string;
  readonly object: object;
}

/** The registry: Deployment, Service and namespace. `folder` keeps its data on the machine; without it, data go with the pod. */
export function registryManifests(image: string, folder: string | undefined): readonly Manifest[] {
  const metadata = { name: "registry", namespace, labels: { app: "registry" } };
  const volume = folder === undefined ? { emptyDir: {} } : { hostPath: { path: folder, type: "Directory" } };
  const container = {
    name: "registry",
    image,
    imagePullPolicy: "IfNotPresent",
    // Published images of the registry do not allow deletion unless told so.
    env: [{ name: "REGISTRY_STORAGE_DELETE_ENABLED", value: "true" }],
    ports: [{ containerPort: port }],
    readinessProbe: { httpGet: { path: "/v2/", port }, periodSeconds: 1 },
    securityContext: {
      runAsUser: 1000,
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    },
    volumeMounts: [{ name: "data", mountPath: "/var/lib/registry" }],
  };
  const pod = {
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 1,
    securityContext: { fsGroup: 1000 },
    containers: [container],
    volumes: [{ name: "data", ...volume }],
  };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      strategy: { type: "Recreate" },
      selector: { matchLabels: { app: "registry" } },
      template: { metadata: { labels: { app: "registry" } }, spec: pod },
    },
  };
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      type: "NodePort",
      selector: { app: "registry" },
      ports: [{ name: "http", port, targetPort: port, nodePort }],
    },
  };
  const deploymentPath = `/apis/apps/v1/namespaces/${namespace}/deployments/registry`;
  return [
    {
      path: `/api/v1/namespaces/${namespace}`,
      object: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    },
    { path: `/api/v1/namespaces/${namespace}/services/registry`, object: service },
    { path: deploymentPath, object: deployment },
  ];
}

/** The default StorageClass, served by the provisioner of local folders. */
export const storageClassManifest: Manifest = {
  path: "/apis/storage.k8s.io/v1/storageclasses/standard",
  object: {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: "standard", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "slipway.dev/local-folder",
    reclaimPolicy: "Delete",
    volumeBindingMode: "WaitForFirstConsumer",
  },
};
