import { once } from "node:events";
import type { Duplex } from "node:stream";

import { BuilderError } from "@slipway/core";

import type { Cluster } from "../cluster.ts";
import type { AccessRule } from "../rest/access-review.ts";
import type { ClusterCall } from "../rest/api-client.ts";
import type { Pod, Service } from "../rest/kubernetes-object.ts";
import { isPodReady } from "../watch/wait-for-pod.ts";
import type { PortForwardTarget } from "./port-forward.ts";

/** A Service by its name and namespace. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** What {@link createServiceDialer} needs to be allowed in the namespace of the Service. */
export const serviceAccessRbac: readonly AccessRule[] = [
  { verb: "get", resource: "services" },
  { verb: "list", resource: "pods" },
  // A WebSocket begins as a GET; newer API servers also ask for the verb of the older protocol.
  { verb: "get", resource: "pods/portforward" },
  { verb: "create", resource: "pods/portforward" },
];

/**
 * The Service that a host name stands for inside a cluster: `registry`, `registry.tools.svc`, `registry.tools.svc.cluster.local`. `undefined` for names
 * that mean something outside as well.
 *
 * @param namespace - Of a name that says none.
 */
export function serviceOf(hostname: string, namespace: string): ServiceName | undefined {
  const [name = "", ...rest] = hostname.toLowerCase().split(".");
  if (!/^[a-z]([a-z\d-]*[a-z\d])?$/.test(name)) return undefined;
  if (rest.length === 0) return name === "localhost" ? undefined : { namespace, name };
  const [of = "", svc] = rest;
  return svc === "svc" ? { namespace: of, name } : undefined;
}

/**
 * Makes a function that opens connections to hosts as the cluster knows them, from outside of the cluster and without a pod of one's own: to Services by a
 * port-forward to a pod behind them, to other names over the network of this process. A Service is looked up again once its pod could not be reached.
 *
 * @returns a function that throws `CLUSTER_UNREACHABLE` if there is no such Service or no pod behind it is ready, and what the API server refuses
 */
export function createServiceDialer(
  cluster: Pick<Cluster, "get" | "list" | "portForward" | "server" | "namespace">,
): (signal: AbortSignal, url: URL) => Promise<Duplex> {
  const targets = new Map<string, PortForwardTarget>();
  return async (signal, url) => {
    const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
    const service = serviceOf(url.hostname, cluster.namespace);
    if (service === undefined) return connectTcp(url.hostname.replace(/^\[|\]$/g, ""), port, signal);
    // Not the promise of one: it would end with the signal of whoever asked first.
    const target = targets.get(url.host) ?? (await findPortOfPod(cluster, service, port, { signal }));
    targets.set(url.host, target);
    try {
      return await cluster.portForward(target, { signal });
    } catch (error) {
      targets.delete(url.host);
      throw error;
    }
  };
}

async function connectTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const { connect } = await import("node:net");
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function findPortOfPod(
  cluster: Pick<Cluster, "get" | "list" | "server">,
  service: ServiceName,
  port: number,
  call: ClusterCall,
): Promise<PortForwardTarget> {
  const { namespace, name } = service;
  const found = await cluster.get<Service>({ apiVersion: "v1", kind: "Service", namespace, name }, call);
  const { selector = {}, ports = [] } = found?.spec ?? {};
  const target = ports.find((candidate) => candidate.port === port);
  const labels = Object.entries(selector).map(([key, value]) => `${key}=${value}`);
  if (target === undefined || labels.length === 0) throw notServed(cluster.server, service, port);
  const labelSelector = labels.join(",");
  const { items } = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace }, { ...call, labelSelector });
  for (const pod of items.filter(isPodReady)) {
    const podPort = portOfPod(pod, target.targetPort ?? port);
    if (podPort !== undefined) return { namespace, pod: pod.metadata?.name ?? "", port: podPort };
  }
  throw notServed(cluster.server, service, port);
}

function portOfPod(pod: Pod, targetPort: number | string): number | undefined {
  const numbered = Number(targetPort);
  if (Number.isInteger(numbered)) return numbered;
  const ports = pod.spec?.containers.flatMap((container) => container.ports ?? []) ?? [];
  return ports.find(({ name }) => name === targetPort)?.containerPort;
}

function notServed(server: string, { namespace, name }: ServiceName, port: number): BuilderError {
  return new BuilderError({
    code: "CLUSTER_UNREACHABLE",
    message: `Nothing in the cluster serves ${name}.${namespace}.svc:${port}: there is no such Service, or no pod behind it is ready. Check its name, its port and its pods.`,
    details: { server },
    retryable: false,
  });
}
