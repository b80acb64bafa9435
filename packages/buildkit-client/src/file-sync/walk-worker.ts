/**
 * A walk in a thread of its own: reads its task, posts batches, then the end. What cannot be read is posted as the parts of the error.
 */
import { parentPort, workerData } from "node:worker_threads";

import { BuilderError } from "@slipway/core";

import { scanDirectory } from "./scan-directory.ts";
import { encodeBatch } from "./walk.ts";
import { WalkDigest } from "./walk-digest.ts";
import type { WalkMessage, WalkTask } from "./worker-walk.ts";

const { root, filter } = workerData as WalkTask;

function post(message: WalkMessage, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}

try {
  const digest = new WalkDigest({ name: "context", filter });
  const entries = scanDirectory(root, filter)[Symbol.iterator]();
  for (let batch = encodeBatch(entries); batch !== undefined; batch = encodeBatch(entries)) {
    digest.add(batch);
    post({ batch }, [batch.bytes.buffer, batch.offsets.buffer]);
  }
  post({ end: true, digest: digest.finish() });
} catch (error) {
  if (!BuilderError.isInstance(error)) throw error;
  post({ refused: { code: error.code, message: error.message, details: error.details } });
}
