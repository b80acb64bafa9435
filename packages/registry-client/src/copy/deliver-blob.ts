import type { BlobChunk, BlobMark, BlobSource, ChunkBuffers } from "./blob-chunks.ts";
import { createChunkBuffers, readBlobChunks, startOf } from "./blob-chunks.ts";
import type { BlobDelivery, DeliveryForm } from "./blob-delivery.ts";
import type { ContentDescriptor } from "./image-content.ts";

const maxPasses = 12;
/** How far back reading can go on without beginning anew: more than sockets hold. */
const maxMarks = 16;

/** A blob that is to be delivered. */
export interface DeliveredBlob {
  readonly source: BlobSource;
  readonly blob: ContentDescriptor;
  /** Memory for what is sent in either form. */
  readonly buffers: Readonly<Record<DeliveryForm, ChunkBuffers>>;
  /** Whether all destinations take a stream, as far as is known. */
  readonly mayStream: () => boolean;
}

/**
 * Reads a blob once for all that want it, at the speed of the slowest. Those that fell behind get the rest by another pass, together with others
 * like them, and in chunks: connections that end once end again. Whether it arrived, each delivery tells itself.
 *
 * @throws what is wrong with the source
 */
export async function deliverBlob(delivered: DeliveredBlob, deliveries: readonly BlobDelivery[]): Promise<void> {
  const { blob, buffers, mayStream } = delivered;
  const marks = [startOf(blob)];
  try {
    let pending = deliveries;
    for (let pass = 0; pending.length > 0 && pass < maxPasses; pass++) {
      const isStreamed = pass === 0 && blob.sizeBytes > buffers.stream.chunkBytes && mayStream();
      await fanOut(delivered, pending, isStreamed ? "stream" : "chunks", marks);
      pending = deliveries.filter(({ state }) => state === "behind");
    }
  } finally {
    await Promise.all(deliveries.map((delivery) => delivery.cancel()));
  }
}

/** While a chunk is sent, the next one is read: there are two of a blob at a time. */
async function fanOut(
  delivered: DeliveredBlob,
  deliveries: readonly BlobDelivery[],
  form: DeliveryForm,
  marks: BlobMark[],
): Promise<void> {
  const openOnes = (): readonly BlobDelivery[] => deliveries.filter(({ state }) => state === "open");
  let sending = Promise.resolve();
  try {
    for await (const chunk of await openAndRead(delivered, deliveries, form, marks)) {
      await sending;
      if (openOnes().length === 0) {
        chunk.release();
        return;
      }
      remember(marks, chunk.end);
      sending = Promise.all(openOnes().map((delivery) => delivery.send(chunk))).then(() => chunk.release());
    }
  } finally {
    await sending;
  }
}

/** A small blob that cannot be mounted is asked for while the uploads are opened: answers take longer than its bytes. */
async function openAndRead(
  { source, blob, buffers }: DeliveredBlob,
  deliveries: readonly BlobDelivery[],
  form: DeliveryForm,
  marks: readonly BlobMark[],
): Promise<AsyncIterable<BlobChunk> | readonly BlobChunk[]> {
  const isNew = deliveries.every(({ state, mayMount }) => state === "new" && !mayMount);
  const isSmall = blob.sizeBytes <= buffers[form].chunkBytes;
  const ahead = isNew && isSmall ? readAhead(source, (from) => readBlobChunks(from, blob, buffers[form])) : undefined;
  await Promise.all(deliveries.map((delivery) => delivery.open(form)));
  const open = deliveries.filter(({ state }) => state === "open");
  if (ahead !== undefined && open.length > 0) return ahead.chunks;
  await ahead?.leave();
  if (open.length === 0) return [];
  const wanted = Math.min(...open.map(({ receivedBytes }) => receivedBytes));
  const from = marks.findLast(({ offset }) => offset <= wanted);
  const leastBytes = Math.max(...open.map((delivery) => delivery.leastChunkBytes));
  return readBlobChunks(source, blob, fitting(buffers[form], form, leastBytes), { from, wanted });
}

type BlobChunks = ReturnType<typeof readBlobChunks>;

interface AheadReading {
  readonly chunks: AsyncIterable<BlobChunk>;
  /** For who does not read them: ends what is under way. */
  leave(): Promise<void>;
}

/** Begins to read before anybody asks for the first chunk. */
function readAhead(source: BlobSource, begin: (source: BlobSource) => BlobChunks): AheadReading {
  const left = new AbortController();
  const chunks = begin({ ...source, signal: AbortSignal.any([source.signal, left.signal]) });
  const first = Promise.allSettled([chunks.next()]);
  const read = async function* (): BlobChunks {
    const [outcome] = await first;
    if (outcome.status === "rejected") throw outcome.reason;
    if (outcome.value.value !== undefined) yield outcome.value.value;
    yield* chunks;
  };
  const leave = async (): Promise<void> => {
    left.abort();
    const [outcome] = await first;
    if (outcome.status === "fulfilled") outcome.value.value?.release();
    await chunks.return();
  };
  return { chunks: read(), leave };
}

/** Buffers for chunks that every registry takes; the bytes of a stream are no chunks. */
function fitting(buffers: ChunkBuffers, form: DeliveryForm, leastBytes: number): ChunkBuffers {
  return form === "stream" || leastBytes <= buffers.chunkBytes ? buffers : createChunkBuffers(leastBytes);
}

/** The first one, at the start of the blob, stays. */
function remember(marks: BlobMark[], mark: BlobMark): void {
  if (marks.every(({ offset }) => offset < mark.offset)) marks.push(mark);
  if (marks.length > maxMarks) marks.splice(1, 1);
}
