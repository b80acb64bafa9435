import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress } from "node:zlib";

const chunkSize = 256 * 1024;

/** Compresses chunks on their way, no more of them than are taken. */
export async function* compressed(
  source: AsyncIterable<Buffer>,
  compression: "gzip" | "zstd",
  level = compression === "gzip" ? 1 : 3,
): AsyncGenerator<Buffer, void, undefined> {
  const compressor =
    compression === "gzip"
      ? createGzip({ level, chunkSize })
      : createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level }, chunkSize });
  const done = pipeline(Readable.from(source, { highWaterMark: 1 }), compressor);
  // The loop below tells of failures.
  done.catch(() => undefined);
  try {
    for await (const chunk of compressor as AsyncIterable<Buffer>) yield chunk;
  } finally {
    compressor.destroy();
    await done.catch(() => undefined);
  }
}
