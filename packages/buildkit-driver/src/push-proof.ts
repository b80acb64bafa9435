import type { ImageResolver, ResolveImageRequest, StatusUpdate } from "@slipway/buildkit-client";

/** Whether the daemon has begun to write the result: the push is near. Its vertices are called `exporting to image`, `exporting to oci image format`, … */
export function isExporting({ vertices }: StatusUpdate): boolean {
  return vertices.some(({ name, startedMs }) => startedMs !== undefined && name.startsWith("exporting to "));
}

/** Asks what a registry serves, by way of the daemon. Opened while the daemon still writes, so that the question itself is all that the build waits for. */
export class PushProof implements Disposable {
  readonly #open: () => ImageResolver;
  #resolver: ImageResolver | undefined;

  constructor(open: () => ImageResolver) {
    this.#open = open;
  }

  /** Opens it, if that was not done already. */
  prepare(): void {
    this.#resolver ??= this.#open();
  }

  /** The digest under a tag. */
  resolve(request: ResolveImageRequest): Promise<string> {
    this.prepare();
    return this.#resolver?.resolve(request) ?? Promise.reject(new Error("not open"));
  }

  [Symbol.dispose](): void {
    this.#resolver?.[Symbol.dispose]();
  }
}
