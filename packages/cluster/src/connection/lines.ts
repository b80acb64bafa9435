/**
 * Cuts a stream of bytes into lines, without the line feed. Text is not decoded before a line is whole, so that no character is torn.
 * A rest without a line feed is not a line: it is given to `onRest` when the stream ends by itself.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  onRest?: (rest: Buffer) => void,
): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = chunk.subarray(start, end);
      yield parts.length > 0 ? Buffer.concat([...parts, line]) : line;
      parts = [];
      start = end + 1;
    }
    if (start < chunk.length) parts.push(chunk.subarray(start));
  }
  if (parts.length > 0) onRest?.(Buffer.concat(parts));
}

/** Fails when nothing comes for `idleMs`, and tells `onIdle` before. */
export async function* orIdle(
  chunks: AsyncIterable<Buffer>,
  idleMs: number,
  onIdle: () => void,
): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    while (true) {
      let timer: NodeJS.Timeout | undefined;
      const idle = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          onIdle();
          reject(new Error(`nothing came for ${idleMs / 1000} s`));
        }, idleMs);
      });
      const next = iterator.next();
      next.catch(() => undefined);
      const result = await Promise.race([next, idle]).finally(() => clearTimeout(timer));
      if (result.done) return;
      yield result.value;
    }
  } finally {
    // Not awaited: it would wait for the chunk that does not come.
    iterator.return?.().catch(() => undefined);
  }
}
