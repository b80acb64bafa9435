/** Collects the rejections that nobody handles, from now until it is disposed. */
export function watchUnhandledRejections(): Disposable & { readonly reasons: readonly unknown[] } {
  const reasons: unknown[] = [];
  const collect = (reason: unknown): void => void reasons.push(reason);
  process.on("unhandledRejection", collect);
  return { reasons, [Symbol.dispose]: () => void process.off("unhandledRejection", collect) };
}
