/**
 * Waits for something, and no longer than a signal allows. What is awaited is not ended by it, and how it fails later on is of no interest.
 *
 * @param errorOf - What the abort is for who waits. @defaultValue the signal's reason
 * @throws that, also when the signal has fired before
 */
export async function unlessAborted<Value>(
  awaited: Promise<Value>,
  signal: AbortSignal,
  errorOf: (signal: AbortSignal) => unknown = ({ reason }) => reason as unknown,
): Promise<Value> {
  const { promise: left, reject } = Promise.withResolvers<never>();
  const leave = (): void => {
    reject(errorOf(signal));
  };
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([left, awaited]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
