import type { ArchiveSink } from "@slipway/core";

import { FrameReader } from "../grpc/grpc-frame.ts";
import { grpcCode } from "../grpc/grpc-status.ts";
import type { SessionCall } from "../session/session-call.ts";
import type { SessionHandler } from "../session/session-server.ts";
import { bytesMessageData } from "../session/session-tunnel.ts";

/** The path of the method by which the daemon sends archives. */
export const fileSendMethod = "/moby.filesync.v1.FileSend/DiffCopy";

/** Hands each archive to the sink of its exporter. The daemon's call ends when the sink is done, so its success means "stored". */
export function archiveService(sinks: readonly (ArchiveSink | undefined)[], signal: AbortSignal): SessionHandler {
  return async (call) => {
    const exporter = Number(call.metadata.first("buildkit-attachable-exporter-id") ?? 0);
    const sink = sinks[exporter];
    if (!sink) {
      call.end(grpcCode.notFound, `exporter ${exporter} has no destination`);
      return;
    }
    call.respond();
    await sink(readArchive(call), { signal });
    call.end();
  };
}

/** The archive in pieces as large as they arrive: the daemon's messages have 4 KiB, which is too little for a write each. */
async function* readArchive(call: SessionCall): AsyncGenerator<Uint8Array> {
  let pieces: Buffer[] = [];
  const frames = new FrameReader((message) => pieces.push(bytesMessageData(message)));
  for await (const chunk of call.stream as AsyncIterable<Buffer>) {
    frames.push(chunk);
    if (pieces.length === 0) continue;
    const batch = pieces;
    pieces = [];
    yield batch.length === 1 ? (batch[0] as Buffer) : Buffer.concat(batch);
  }
  if (call.stream.aborted) throw new Error("The archive broke off: the daemon gave the transfer up.");
}
