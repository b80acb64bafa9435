import { setImmediate as nextTurn } from "node:timers/promises";

import { BuilderError } from "@slipway/core";

import { FrameReader } from "../grpc/grpc-frame.ts";
import type { SessionCall } from "../session/session-call.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { FileFilter, FileSource, OpenFile } from "./file-source.ts";
import {
  dataFrameHeaderBytes,
  endOfWalkFrame,
  errorFrame,
  finFrame,
  packetType,
  writeDataFrameHeader,
} from "./packet-encoder.ts";
import { readPacket } from "./packet-reader.ts";
import { ShownFiles, type ShownFile } from "./shown-files.ts";
import type { TransferMeter } from "./transfer-meter.ts";
import type { WalkDigest } from "./walk-digest.ts";
import type { Walk } from "./walk.ts";

// Less than this at the end of a batch is not worth a packet of its own.
const minDataBytes = 4 * 1024;
const noContent = new Uint8Array();

/**
 * The sending side of fsutil's DiffCopy: shows every entry of the source, numbers them from 0 in that order, and sends the content of
 * those that the daemon asks for, while the walk still goes on.
 */
export class DiffCopySender {
  readonly #call: SessionCall;
  readonly #source: FileSource;
  readonly #meter: TransferMeter;
  readonly #digest: WalkDigest;
  readonly #writer: BatchWriter;
  readonly #shown = new ShownFiles();
  readonly #requested: number[] = [];
  #finished = false;
  #failure: unknown;
  #wake: (() => void) | undefined;

  constructor(call: SessionCall, source: FileSource, { meter, digest }: { meter: TransferMeter; digest: WalkDigest }) {
    this.#call = call;
    this.#source = source;
    this.#meter = meter;
    this.#digest = digest;
    this.#writer = new BatchWriter(call.stream);
    this.#listen();
  }

  /**
   * Runs until the daemon has all it wants.
   *
   * @param complete - Called before the daemon may use what it has; what it throws takes all of it back.
   * @throws BuilderError `CONTEXT_INVALID` when a file cannot be sent as it was shown
   */
  async send(filter: FileFilter, complete: () => void): Promise<void> {
    this.#call.respond();
    const walk = this.#source.walk(filter);
    try {
      await this.#serve(walk);
      complete();
      this.#writer.append(finFrame);
      this.#flush();
    } catch (error) {
      this.#writer.append(errorFrame(error instanceof Error ? error.message : String(error)));
      this.#flush();
      throw error;
    } finally {
      walk.close();
      this.#meter.finish();
    }
  }

  async #serve(walk: Walk): Promise<void> {
    let state: "more" | "later" | "over" = "more";
    for (;;) {
      if (state !== "over") state = this.#showBatch(walk);
      for (
        let id = this.#requested.shift();
        id !== undefined;
        id = state === "more" ? undefined : this.#requested.shift()
      ) {
        await this.#sendFile(id);
      }
      this.#flush();
      if (this.#failure !== undefined) throw this.#failure as Error;
      if (this.#finished && state === "over") return;
      if (state === "more" || this.#requested.length > 0) await this.#yield();
      else await Promise.race([this.#news(), ...(state === "later" ? [walk.ready()] : [])]);
    }
  }

  /** Resolves when the daemon has said something. */
  #news(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => resolve(undefined);
    return promise;
  }

  /** Shows the next batch of the walk, if it is there. */
  #showBatch(walk: Walk): "more" | "later" | "over" {
    const batch = walk.next();
    if (batch === "later") return "later";
    if (batch === undefined) {
      this.#writer.append(endOfWalkFrame);
      return "over";
    }
    this.#writer.write(batch.bytes);
    this.#digest.add(batch);
    this.#shown.add(batch);
    this.#meter.files += batch.files;
    this.#meter.totalBytes += batch.totalBytes;
    return "more";
  }

  async #sendFile(id: number): Promise<void> {
    const shown = this.#shown.take(id);
    const file = this.#source.open(shown);
    try {
      this.#digest.addContent(shown, noContent);
      await this.#sendContent(id, shown, file);
      if (!file.unchanged()) throw changed(shown);
    } finally {
      file.close();
    }
    this.#writer.reserve(dataFrameHeaderBytes(id, 0));
    this.#writer.offset = writeDataFrameHeader(this.#writer.buffer, this.#writer.offset, id, 0);
    this.#meter.sentFiles += 1;
  }

  async #sendContent(id: number, shown: ShownFile, file: OpenFile): Promise<void> {
    for (let rest = shown.sizeBytes; rest > 0;) {
      const headerBytes = dataFrameHeaderBytes(id, Math.min(rest, this.#writer.freeBytes));
      this.#writer.reserve(headerBytes + Math.min(rest, minDataBytes));
      if (this.#writer.offset === 0) await this.#yield();
      const bytes = Math.min(
        rest,
        this.#writer.freeBytes - dataFrameHeaderBytes(id, Math.min(rest, this.#writer.freeBytes)),
      );
      const start = writeDataFrameHeader(this.#writer.buffer, this.#writer.offset, id, bytes);
      await this.#readExactly(shown, file, start, bytes);
      this.#writer.offset = start + bytes;
      this.#digest.addContent(shown, this.#writer.buffer.subarray(start, start + bytes));
      this.#meter.sentBytes += bytes;
      rest -= bytes;
    }
  }

  async #readExactly(shown: ShownFile, file: OpenFile, offset: number, length: number): Promise<void> {
    for (let done = 0; done < length;) {
      const read = file.read(this.#writer.buffer, offset + done, length - done);
      const bytes = typeof read === "number" ? read : await read;
      if (bytes === 0) throw changed(shown);
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

function changed({ path }: ShownFile): BuilderError<"CONTEXT_INVALID"> {
  return new BuilderError({
    code: "CONTEXT_INVALID",
    message: `${path} changed while it was sent to BuildKit. Build again once nothing writes to it, or name it in .dockerignore.`,
    details: { path },
  });
}
