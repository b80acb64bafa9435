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

  /** Opens it, if that was not done already. On a connection that is lost there is nothing to open: then the question fails, not the build. */
  prepare(): void {
    try {
      this.#resolver ??= this.#open();
    } catch {
      this.#resolver = undefined;
    }
  }

  /** The digest under a tag. */
  async resolve(request: ResolveImageRequest): Promise<string> {
    this.#resolver ??= this.#open();
    return await this.#resolver.resolve(request);
  }

  [Symbol.dispose](): void {
    this.#resolver?.[Symbol.dispose]();
  }
}
