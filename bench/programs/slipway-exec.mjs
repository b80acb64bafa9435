// Sends a file to a command in a pod, as `kubectl exec -i` does, with the published form of the package.
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";

import { connectCluster } from "slipway/cluster";

const { kubeconfig, context, namespace, pod, command, file } = JSON.parse(process.env.SLIPWAY_BENCH);
await using cluster = await connectCluster({ kubeconfig, context, namespace });
await using stream = await cluster.exec({ namespace, pod, command });
const output = pipeline(stream.stdio, process.stdout, { end: false });
createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(stream.stdio);
await output;
process.exitCode = (await stream.status).exitCode;
