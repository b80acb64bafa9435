/** How long what is on its way may take once its caller has left, so that it can be undone in order. */
const graceMs = 3_000;

/** A signal that fires some time after the other one. Disposing lets go of both. */
export function graceSignal(signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    timer = setTimeout(() => controller.abort(signal.reason), graceMs);
  };
  if (signal.aborted) start();
  signal.addEventListener("abort", start, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener("abort", start);
      clearTimeout(timer);
    },
  };
}
