/**
 * Reads ahead of a consumer. The kubelet drops lines of whoever reads slowly while it rotates the file, so that the connection is
 * drained at once, up to a limit of memory; behind it, back-pressure.
 */
export async function* readAhead(chunks: AsyncIterable<Buffer>, limitBytes: number): AsyncGenerator<Buffer> {
  const queue: Buffer[] = [];
  let queuedBytes = 0;
  let state: { readonly error?: unknown } | undefined;
  let wake: () => void = () => undefined;
  let proceed: () => void = () => undefined;
  const iterator = chunks[Symbol.asyncIterator]();
  const drain = async (): Promise<void> => {
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        queue.push(next.value);
        queuedBytes += next.value.length;
        wake();
        if (queuedBytes > limitBytes) await new Promise<void>((resolve) => (proceed = resolve));
      }
      state = {};
    } catch (error) {
      state = { error };
    }
    wake();
  };
  void drain();
  try {
    while (true) {
      const chunk = queue.shift();
      if (chunk) {
        queuedBytes -= chunk.length;
        if (queuedBytes <= limitBytes / 2) proceed();
        yield chunk;
      } else if (state) {
        if ("error" in state) throw state.error;
        return;
      } else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    proceed();
    iterator.return?.().catch(() => undefined);
  }
}
