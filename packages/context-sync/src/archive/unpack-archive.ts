import { mkdir } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { Headers } from "tar-fs";

import { contextInvalid } from "../context-invalid.ts";

/** What to do with an archive. */
export interface UnpackOptions {
  /** Ends it; what was written stays. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Unpacks a tar archive into a folder, which is made where there is none. Files belong to this user, whoever owns them in the archive; devices, sockets
 * and the bits for another user's rights (setuid, setgid) are left out.
 *
 * Nothing is written outside the folder, whatever the archive says: [tar-fs](https://github.com/mafintosh/tar-fs) takes every name as one in the folder,
 * and refuses links whose targets lead out.
 *
 * @param archive - Not compressed.
 * @throws BuilderError `CONTEXT_INVALID` for an archive that is damaged, ends early or leads out of the folder, or a folder that cannot be written to;
 * the reason of the signal
 */
export async function unpackArchive(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  { signal }: UnpackOptions = {},
): Promise<void> {
  const { extract } = await import("tar-fs");
  const end = { isMarked: false };
  try {
    await mkdir(folder, { recursive: true });
    const options = {
      chown: false,
      // Devices and sockets; an error would keep everything else from being there.
      strict: false,
      map: (header: Headers) => ({ ...header, mode: header.mode & 0o777 }),
    };
    const target = extract(folder, options);
    // Until tar-fs has opened its file nobody listens to an entry, whose error would end the process; the pipeline has the same one.
    target.on("entry", (_header: Headers, entry: Readable) => entry.on("error", () => undefined));
    await pipeline(Readable.from(endMarked(archive, () => (end.isMarked = true))), target, { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw contextInvalid(folder, `The archive cannot be unpacked into ${folder}: ${(cause as Error).message}.`, cause);
  }
  if (!end.isMarked)
    throw contextInvalid(folder, `The archive that was unpacked into ${folder} ended early. Make it again.`);
}

/** Tells whether a stream ended with the two empty blocks that end an archive: a cut between two files looks like an end otherwise. */
async function* endMarked(archive: AsyncIterable<Uint8Array>, onMark: () => void): AsyncGenerator<Uint8Array> {
  let tail = Buffer.alloc(0);
  for await (const piece of archive) {
    tail = Buffer.concat([tail, piece.subarray(-endBytes)]).subarray(-endBytes);
    yield piece;
  }
  if (tail.length === endBytes && tail.every((byte) => byte === 0)) onMark();
}

const endBytes = 1024;
