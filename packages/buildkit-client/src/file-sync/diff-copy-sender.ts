import { setImmediate as nextTurn } from "node:timers/promises";

import type { ScanEntry } from "@slipway/context-sync";
import { BuilderError } from "@slipway/core";

import { FrameReader } from "../grpc/grpc-frame.ts";
import type { SessionCall } from "../session/session-call.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";
import { fileType, goFileMode } from "./go-file-mode.ts";
import {
  dataFrameHeaderBytes,
  endOfWalkFrame,
  errorFrame,
  finFrame,
  packetType,
  maxStatFrameBytes,
  writeDataFrameHeader,
  writeStatFrame,
} from "./packet-encoder.ts";
import { readPacket } from "./packet-reader.ts";
import type { TransferMeter } from "./transfer-meter.ts";

const walkSliceBytes = 32 * 1024;
// Less than this at the end of a batch is not worth a packet of its own.
const minDataBytes = 4 * 1024;

/**
 * The sending side of fsutil's DiffCopy: shows every entry of the source, numbers them from 0 in that order, and sends the content of
 * those that the daemon asks for, while the walk still goes on.
 */
export class DiffCopySender {
  readonly #call: SessionCall;
  readonly #source: FileSource;
  readonly #meter: TransferMeter;
  readonly #writer: BatchWriter;
  /** What may be asked for, by number; undefined once it was, or if it has no content. */
  readonly #entries: (ScanEntry | undefined)[] = [];
  readonly #requested: number[] = [];
  #finished = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(call: SessionCall, source: FileSource, meter: TransferMeter) {
    this.#call = call;
    this.#source = source;
    this.#meter = meter;
    this.#writer = new BatchWriter(call.stream);
    this.#listen();
  }

  /** Runs until the daemon has all it wants. @throws BuilderError `CONTEXT_INVALID` when a file cannot be sent as it was shown */
  async send(filter: FileFilter): Promise<void> {
    this.#call.respond();
    try {
      await this.#serve(this.#source.scan(filter)[Symbol.iterator]());
      this.#writer.append(finFrame);
      this.#flush();
    } catch (error) {
      this.#writer.append(errorFrame(error instanceof Error ? error.message : String(error)));
      this.#flush();
      throw error;
    } finally {
      this.#meter.finish();
    }
  }

  async #serve(walk: Iterator<ScanEntry>): Promise<void> {
    let walking = true;
    for (;;) {
      if (walking) walking = this.#showSlice(walk);
      for (let id = this.#requested.shift(); id !== undefined; id = walking ? undefined : this.#requested.shift()) {
        await this.#sendFile(id);
      }
      this.#flush();
      if (this.#failure !== undefined) throw this.#failure as Error;
      if (this.#finished && !walking) return;
      if (walking || this.#requested.length > 0) await this.#yield();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Shows about as much as fits into a batch; false when the walk is over. */
  #showSlice(walk: Iterator<ScanEntry>): boolean {
    const limit = this.#writer.writtenBytes + this.#writer.offset + walkSliceBytes;
    while (this.#writer.writtenBytes + this.#writer.offset < limit) {
      const next = walk.next();
      if (next.done === true) {
        this.#writer.append(endOfWalkFrame);
        return false;
      }
      this.#show(next.value);
    }
    return true;
  }

  #show(entry: ScanEntry): void {
    const regular = (entry.mode & fileType.mask) === fileType.regular;
    const linked = entry.hardlink === true;
    const stat = {
      path: entry.path,
      mode: goFileMode(entry.mode),
      sizeBytes: linked || (entry.mode & fileType.mask) === fileType.directory ? 0 : entry.size,
      mtimeNs: entry.mtimeNs,
      linkname: entry.linkname ?? "",
      devMajor: entry.devMajor,
      devMinor: entry.devMinor,
    };
    this.#writer.reserve(maxStatFrameBytes(stat));
    this.#writer.offset = writeStatFrame(this.#writer.buffer, this.#writer.offset, stat);
    this.#entries.push(regular ? entry : undefined);
    if (!regular) return;
    this.#meter.files += 1;
    this.#meter.totalBytes += stat.sizeBytes;
  }

  async #sendFile(id: number): Promise<void> {
    const entry = this.#entries[id];
    if (!entry) throw new Error(`The daemon asked for entry ${id}, which has no content or was sent already.`);
    this.#entries[id] = undefined;
    const file = this.#source.open(entry);
    try {
      await this.#sendContent(id, entry, file);
      if (!file.unchanged()) throw changed(entry);
    } finally {
      file.close();
    }
    this.#writer.reserve(dataFrameHeaderBytes(id, 0));
    this.#writer.offset = writeDataFrameHeader(this.#writer.buffer, this.#writer.offset, id, 0);
    this.#meter.sentFiles += 1;
  }

  async #sendContent(id: number, entry: ScanEntry, file: OpenFile): Promise<void> {
    for (let rest = entry.size; rest > 0;) {
      const headerBytes = dataFrameHeaderBytes(id, Math.min(rest, this.#writer.freeBytes));
      this.#writer.reserve(headerBytes + Math.min(rest, minDataBytes));
      if (this.#writer.offset === 0) await this.#yield();
      const bytes = Math.min(
        rest,
        this.#writer.freeBytes - dataFrameHeaderBytes(id, Math.min(rest, this.#writer.freeBytes)),
      );
      const start = writeDataFrameHeader(this.#writer.buffer, this.#writer.offset, id, bytes);
      await this.#readExactly(entry, file, start, bytes);
      this.#writer.offset = start + bytes;
      this.#meter.sentBytes += bytes;
      rest -= bytes;
    }
  }

  async #readExactly(entry: ScanEntry, file: OpenFile, offset: number, length: number): Promise<void> {
    for (let done = 0; done < length;) {
      const read = file.read(this.#writer.buffer, offset + done, length - done);
      const bytes = typeof read === "number" ? read : await read;
      if (bytes === 0) throw changed(entry);
      done += bytes;
    }
  }

  /** Lets requests, acknowledgements and health checks in, and waits while too much is on its way. */
  async #yield(): Promise<void> {
    this.#flush();
    await nextTurn();
    await this.#writer.ready();
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  #flush(): void {
    this.#writer.flush();
    this.#meter.wireBytes = this.#writer.writtenBytes;
    this.#meter.tick();
  }

  #listen(): void {
    const fail = (error: unknown) => {
      this.#failure ??= error;
      this.#wake?.();
    };
    const frames = new FrameReader((message) => this.#receive(message, fail));
    this.#call.stream.on("data", (chunk: Buffer) => {
      try {
        frames.push(chunk);
        this.#wake?.();
      } catch (error) {
        fail(error);
      }
    });
    this.#call.stream.on("close", () => fail(new Error("The daemon gave the transfer up.")));
  }

  #receive(message: Buffer, fail: (error: unknown) => void): void {
    const packet = readPacket(message);
    if (packet.type === packetType.request) this.#requested.push(packet.id);
    else if (packet.type === packetType.fin) this.#finished = true;
    else if (packet.type === packetType.error)
      fail(new Error(`The daemon gave the transfer up: ${packet.data.toString()}`));
  }
}

function changed(entry: ScanEntry): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message: `${entry.path} changed while it was sent to BuildKit. Build again once nothing writes to it, or name it in .dockerignore.`,
    details: { path: entry.path },
  });
}
