// Brings a context to a workspace with the published form of the package: from the start of the program to the context being there.
import { connectCluster } from "@slipway/cluster";
import { openWorkspace } from "@slipway/context-sync";

const { kubeconfig, context, namespace, image, folder, mostBytes } = JSON.parse(process.env.SLIPWAY_BENCH);
await using cluster = await connectCluster({ kubeconfig, context, namespace });
const workspace = await openWorkspace(cluster, { name: "ours", image });
const version = await workspace.sync(folder);
await version.release();
if (version.sentBytes > mostBytes)
  throw new Error(`${version.sentBytes} bytes were sent, and at most ${mostBytes} may be`);
