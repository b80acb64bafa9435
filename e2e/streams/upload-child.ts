import { createHash, randomBytes } from "node:crypto";

import { connectCluster } from "@slipway/cluster";

/** What the parent asks for, as JSON in `UPLOAD`. */
export interface UploadOrder {
  readonly kubeconfig: string;
  readonly context: string;
  readonly namespace: string;
  readonly pod: string;
  readonly command: readonly string[];
  readonly sizeBytes: number;
}

/** What the child prints as its only line, as JSON. */
export interface UploadReport {
  readonly sha256: string;
  readonly output: string;
  readonly exitCode: number | undefined;
  readonly wallMs: number;
  readonly cpuMs: number;
}

const blockBytes = 1024 * 1024;

const order = JSON.parse(process.env.UPLOAD ?? "{}") as UploadOrder;
const { kubeconfig, context, namespace, pod, command, sizeBytes } = order;
await using cluster = await connectCluster({ kubeconfig, context, namespace });
const startedMs = performance.now();
const stream = await cluster.exec({ namespace, pod, command });
const hash = createHash("sha256");
const random = randomBytes(blockBytes);
const output = (async () => {
  let text = "";
  for await (const chunk of stream.stdio) text += String(chunk);
  return text;
})();
// What is measured is the stream: blocks are used again once it has taken them, or the garbage of this loop would be half of the memory.
const free = Array.from({ length: 4 }, () => Buffer.from(random));
let wake = (): void => undefined;
for (let sent = 0; sent < sizeBytes; sent += blockBytes) {
  while (free.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  const block = free.pop() ?? Buffer.from(random);
  // No two blocks are the same, so that none can take another's place.
  block.writeBigUInt64LE(BigInt(sent));
  hash.update(block);
  const isTaken = stream.stdio.write(block, () => {
    free.push(block);
    wake();
  });
  if (!isTaken) await new Promise((resolve) => stream.stdio.once("drain", resolve));
}
stream.stdio.end();
const { exitCode } = await stream.status;
const { user, system } = process.cpuUsage();
const report: UploadReport = {
  sha256: hash.digest("hex"),
  output: await output,
  exitCode,
  wallMs: Math.round(performance.now() - startedMs),
  cpuMs: Math.round((user + system) / 1000),
};
console.log(JSON.stringify(report));
