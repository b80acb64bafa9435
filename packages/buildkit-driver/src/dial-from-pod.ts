import type { Duplex } from "node:stream";

import type { Cluster } from "@slipway/cluster";

import { buildkitContainer } from "./workload.ts";

/**
 * A TCP connection that begins in a builder's pod: the registry that buildkitd pushes to is often one that only the cluster reaches,
 * under a name that only the cluster's DNS knows. `nc` is part of the images of buildkitd.
 */
export async function dialFromPod(
  cluster: Cluster,
  pod: { readonly namespace: string; readonly name: string },
  url: URL,
  signal: AbortSignal,
): Promise<Duplex> {
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  // A URL writes an IPv6 address in brackets, which no program but a URL parser takes.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const target = { namespace: pod.namespace, pod: pod.name, container: buildkitContainer };
  const stream = await cluster.exec({ ...target, command: ["nc", host, port] }, { signal });
  return stream.stdio;
}
