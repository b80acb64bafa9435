import { pipeline } from "node:stream/promises";

import type { ExecStream } from "@slipway/cluster";
import { packContext, type ContextArchive } from "@slipway/context-sync";
import type { BuildRequest, DriverEvent } from "@slipway/core";

import { contextFolder } from "./context-folder.ts";
import { tarArchive } from "./tar-context.ts";

/** The context of a build as an archive: gzip, because kaniko takes nothing else from stdin. */
export function contextArchive(request: BuildRequest, signal: AbortSignal): ContextArchive {
  if (request.context.type === "tar") return tarArchive(request.context.read, signal);
  const { root, exclude } = contextFolder(request);
  // Without it, kaniko's own folder would give `COPY . /app` a folder that only root may read.
  return packContext(root, { exclude, compression: "gzip", rootMode: 0o755, checksum: false, signal });
}

/**
 * Writes a context to the stdin of an executor. A connection that breaks is not an error here: the executor then ends, and says whether it had everything.
 *
 * @returns how many bytes have left
 * @throws what the archive throws: CONTEXT_INVALID for a file that cannot be read
 */
export async function sendContext(
  stream: ExecStream,
  archive: ContextArchive,
  emit: (event: DriverEvent) => void,
): Promise<number> {
  let sentBytes = 0;
  let failure: { readonly error: unknown } | undefined;
  async function* counted(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of archive) {
        sentBytes += chunk.length;
        yield chunk;
        emit({ ...progress, files: 0, sentFiles: 0, totalBytes: 0, sentBytes });
      }
    } catch (error) {
      failure = { error };
      throw error;
    }
  }
  // What the executor prints is read from its log, which survives a lost connection.
  stream.stdio.resume();
  try {
    await pipeline(counted, stream.stdio);
  } catch {
    if (failure !== undefined) throw failure.error;
    return sentBytes;
  }
  const { files, totalBytes } = await archive.summary;
  emit({ ...progress, files, sentFiles: files, totalBytes, sentBytes });
  return sentBytes;
}

const progress = { type: "context-progress", context: "context" } as const;
