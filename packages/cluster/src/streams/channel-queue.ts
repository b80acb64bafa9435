import type { Readable } from "node:stream";

/** Hands what arrives on a channel to a readable stream, and says when the stream has enough. */
export interface ChannelQueue {
  /** From the stream's `read`. */
  pull(): void;
  push(chunk: Buffer): void;
  /** Ends the stream behind what is queued. */
  end(): void;
  /** Whether reading from the socket must pause. */
  readonly isFull: boolean;
  /** The last 4 KiB that arrived on a channel that may stay unread. */
  readonly tail: string;
}

const keptTailBytes = 4096;

/**
 * Makes the queue of one channel.
 *
 * @param stream - that reads from it
 * @param unreadLimitBytes - how much is kept while nobody has begun to read; older bytes go. Without it, an unread channel fills up and
 * holds the whole connection back.
 * @param onChange - told whenever `isFull` may have changed
 */
export function createChannelQueue(
  stream: () => Readable,
  onChange: () => void,
  unreadLimitBytes?: number,
): ChannelQueue {
  let queue: (Buffer | null)[] = [];
  let queuedBytes = 0;
  let isWanted = false;
  let hasReader = false;
  let tail = Buffer.alloc(0);
  const flush = (): void => {
    while (isWanted && queue.length > 0) {
      const chunk = queue.shift() ?? null;
      queuedBytes -= chunk?.length ?? 0;
      isWanted = stream().push(chunk);
    }
  };
  return {
    pull: () => {
      hasReader = true;
      isWanted = true;
      flush();
      onChange();
    },
    push: (chunk) => {
      if (unreadLimitBytes !== undefined) tail = Buffer.concat([tail, chunk]).subarray(-keptTailBytes);
      queue.push(chunk);
      queuedBytes += chunk.length;
      if (!hasReader && unreadLimitBytes !== undefined && queuedBytes > unreadLimitBytes) {
        const kept = Buffer.concat(queue.filter((queued) => queued !== null)).subarray(-unreadLimitBytes);
        queue = [Buffer.from(kept)];
        queuedBytes = kept.length;
      }
      flush();
      onChange();
    },
    end: () => {
      queue.push(null);
      flush();
      // An end may follow even if nobody asks for more.
      if (queuedBytes > 0 || queue.length === 0) return;
      queue = [];
      stream().push(null);
    },
    get isFull() {
      return queuedBytes > 0 && (hasReader || unreadLimitBytes === undefined);
    },
    get tail() {
      return tail.toString("utf8");
    },
  };
}
