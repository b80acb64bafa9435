import type { BlobSource } from "./blob-chunks.ts";
import { readBlobChunks } from "./blob-chunks.ts";
import type { BlobDelivery } from "./blob-delivery.ts";
import type { ContentDescriptor } from "./image-content.ts";

const maxPasses = 12;

/**
 * Reads a blob once for all that want it, at the speed of the slowest. One whose registry has forgotten what it had gets the blob by another
 * pass, together with others like it. Whether it arrived, each delivery tells itself.
 *
 * @throws what is wrong with the source
 */
export async function deliverBlob(
  source: BlobSource,
  blob: ContentDescriptor,
  deliveries: readonly BlobDelivery[],
): Promise<void> {
  try {
    let pending = deliveries;
    for (let pass = 0; pending.length > 0 && pass < maxPasses; pass++) {
      await Promise.all(pending.map((delivery) => delivery.open()));
      await fanOut(source, blob, pending);
      pending = deliveries.filter(({ state }) => state === "lost");
    }
  } finally {
    await Promise.all(deliveries.map((delivery) => delivery.cancel()));
  }
}

/** While a chunk is sent, the next one is read: there are two of a blob at a time. */
async function fanOut(source: BlobSource, blob: ContentDescriptor, deliveries: readonly BlobDelivery[]): Promise<void> {
  const openOnes = (): readonly BlobDelivery[] => deliveries.filter(({ state }) => state === "open");
  if (openOnes().length === 0) return;
  let sending = Promise.resolve();
  try {
    for await (const chunk of readBlobChunks(source, blob)) {
      await sending;
      if (openOnes().length === 0) {
        chunk.release();
        return;
      }
      sending = Promise.all(openOnes().map((delivery) => delivery.send(chunk))).then(() => chunk.release());
    }
  } finally {
    await sending;
  }
}
