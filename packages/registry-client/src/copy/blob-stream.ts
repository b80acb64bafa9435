import type { BlobUpload } from "../blob-upload.ts";

/** One request that takes the bytes of an upload as they come. */
export interface BlobStream {
  /** Sends bytes; once it resolves, their memory may be used for something else. @throws what has ended the request */
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the request, and waits for the answer. @throws what went wrong with it */
  end(): Promise<void>;
}

/** Begins the request, to which nothing is sent yet. */
export function openBlobStream(upload: BlobUpload, signal: AbortSignal): BlobStream {
  let offered = Promise.withResolvers<Uint8Array | undefined>();
  let taken = Promise.withResolvers<undefined>();
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let bytes = await offered.promise; bytes !== undefined; bytes = await offered.promise) {
      offered = Promise.withResolvers();
      yield bytes;
      taken.resolve(undefined);
    }
  };
  const answered = upload.write({ chunks: pieces() }, { signal });
  let isAnswered = false;
  // Whoever waits for bytes to be taken learns that nobody takes them any more.
  const settle = (): void => {
    isAnswered = true;
    offered.resolve(undefined);
    taken.resolve(undefined);
  };
  answered.then(settle, settle);
  return {
    send: async (bytes) => {
      taken = Promise.withResolvers();
      if (!isAnswered) {
        offered.resolve(bytes);
        await taken.promise;
      }
      if (isAnswered) await answered;
    },
    end: async () => {
      offered.resolve(undefined);
      await answered;
    },
  };
}
