import { join } from "node:path";

import type { ClusterSite } from "./cluster-context.ts";
import { isRegistryReady } from "./cluster-health.ts";
import { connectKubeApi } from "./kube-api.ts";
import { enterNetwork } from "./namespaces.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { registryAddress, registryManifests, seededBases } from "./registry-manifests.ts";
import type { Upload } from "./registry-upload.ts";
import { runCommand } from "./run-command.ts";
import { waitUntil } from "./wait-until.ts";

/** Applies the registry's objects and waits until it is ready. Its image must be in the nodes. */
export async function startRegistry(site: ClusterSite, image: string): Promise<void> {
  using api = connectKubeApi(site.paths.kubeconfig);
  for (const { path, object } of registryManifests(image, site.paths.registry)) await api.apply(path, object);
  await waitUntil("the registry is ready", () => isRegistryReady(api), { timeoutMs: 120_000 });
}

/** Puts the bases into the registry, from inside the network of a node. */
export async function seedRegistry(
  node: ProcessIdentity,
  layouts: { readonly busybox: string; readonly cBase: string },
): Promise<void> {
  const uploads = [seededUpload(seededBases.busybox, layouts.busybox), seededUpload(seededBases.cBase, layouts.cBase)];
  // The registry answers inside a node's network only: this very program uploads from there.
  const seed = [process.execPath, join(import.meta.dirname, "main.ts"), "seed-registry", registryAddress.nodeHost];
  await runCommand([...enterNetwork(node), ...seed, JSON.stringify(uploads)]);
}

function seededUpload(reference: string, layout: string): Upload {
  const [repository = "", tag = ""] = reference.slice(registryAddress.clusterHost.length + 1).split(":");
  return { layout, repository, tag };
}
