// Sends a file to a command in a pod, as `kubectl exec -i` does, with the published form of the package.
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";

import { connectCluster } from "slipway/cluster";

const { kubeconfig, context, namespace, pod, command, file } = JSON.parse(process.env.SLIPWAY_BENCH);
await using cluster = await connectCluster({ kubeconfig, context, namespace });
await using stream = await cluster.exec({ namespace, pod, command });
const output = pipeline(stream.stdio, process.stdout, { end: false });

/** Reads into the same few buffers again and again: `createReadStream` takes a new one for each part, which costs more than to send it. */
async function sendFile() {
  await using handle = await open(file);
  const free = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(1024 * 1024));
  let wake = () => undefined;
  while (true) {
    while (free.length === 0) await new Promise((resolve) => (wake = resolve));
    const buffer = free.pop();
    const { bytesRead } = await handle.read(buffer);
    if (bytesRead === 0) break;
    stream.stdio.write(buffer.subarray(0, bytesRead), () => {
      free.push(buffer);
      wake();
    });
  }
  stream.stdio.end();
}

await Promise.all([output, sendFile()]);
process.exitCode = (await stream.status).exitCode;
