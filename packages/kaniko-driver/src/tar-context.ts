import { pipeline } from "node:stream/promises";

import type { ContextArchive } from "@slipway/context-sync";
import { BuilderError } from "@slipway/core";

import { TarReader } from "./tar-reader.ts";

type ReadTar = () => AsyncIterable<Uint8Array>;

/** Executors wait for the end of stdin if a tar ends with no more than the mark of its end. */
const padding = Buffer.alloc(10_240);

/**
 * The text of a file in a tar; no more is read than it takes to find it.
 *
 * @throws BuilderError CONTEXT_INVALID if it is not there
 */
export async function readTarFile(read: ReadTar, path: string, signal?: AbortSignal): Promise<string> {
  const reader = new TarReader(path);
  for await (const chunk of plainTar(read)) {
    signal?.throwIfAborted();
    take(reader, chunk);
    if (reader.content !== undefined) return reader.content.toString("utf8");
  }
  throw invalid(path, `The tar context has no file ${path}. Correct dockerfile, or pass its text as dockerfileInline.`);
}

/**
 * A tar as executors take it from stdin: gzip, whatever it was before, and padded.
 *
 * @throws BuilderError CONTEXT_INVALID, while it is read, if it is no tar or ends too early
 */
export function tarArchive(read: ReadTar, signal: AbortSignal): ContextArchive {
  const { promise: summary, resolve, reject } = Promise.withResolvers<Awaited<ContextArchive["summary"]>>();
  summary.catch(() => undefined);
  const reader = new TarReader();
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of plainTar(read)) {
      take(reader, chunk);
      yield chunk;
    }
    if (!reader.totals.isComplete)
      throw invalid(
        "tar",
        "The tar context ends without the mark of its end, so a part may be missing. Give all of it.",
      );
    yield padding;
  }
  return {
    summary,
    async *[Symbol.asyncIterator]() {
      const { createGzip } = await import("node:zlib");
      const gzip = createGzip({ level: 1 });
      let sentBytes = 0;
      const packing = pipeline(watched, gzip, { signal });
      packing.catch(reject);
      for await (const chunk of gzip as AsyncIterable<Buffer>) {
        sentBytes += chunk.length;
        yield chunk;
      }
      await packing;
      const { files, totalBytes } = reader.totals;
      resolve({ files, totalBytes, sentBytes, sha256: "" });
    },
  };
}

/** The tar itself, also if it comes compressed with gzip. */
async function* plainTar(read: ReadTar): AsyncGenerator<Uint8Array> {
  const chunks = read()[Symbol.asyncIterator]();
  const first = await chunks.next();
  async function* whole(): AsyncGenerator<Uint8Array> {
    try {
      for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  const [one, two] = first.done === true ? [] : first.value;
  if (one !== 0x1f || two !== 0x8b) {
    yield* whole();
    return;
  }
  const { createGunzip } = await import("node:zlib");
  const gunzip = createGunzip();
  // A failure shows where the other end is read.
  pipeline(whole, gunzip).catch((error: unknown) => gunzip.destroy(error as Error));
  yield* gunzip as AsyncIterable<Buffer>;
}

function take(reader: TarReader, chunk: Uint8Array): void {
  try {
    reader.push(chunk);
  } catch (cause) {
    throw invalid(
      "tar",
      `The context is no tar that can be read: ${(cause as Error).message} Give a tar, plain or compressed with gzip.`,
    );
  }
}

function invalid(path: string, message: string): BuilderError {
  return new BuilderError({ code: "CONTEXT_INVALID", message, details: { path } });
}
