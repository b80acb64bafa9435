/** A request to a registry, or to the token service that it names. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: RequestBody | undefined;
  readonly signal: AbortSignal;
  /**
   * Host of the registry that the request is about, as in `URL.hostname`: `url` may be at another one, where its token service or a redirect leads.
   * What is said about the registry alone does not hold there, above all that its certificate is not checked. @defaultValue the host of `url`
   */
  readonly registryHost?: string | undefined;
  /**
   * `false` for a request that must not be sent again by itself, also not when a kept connection turns out to be dead: nobody knows what of it has
   * arrived. @defaultValue by method and body
   */
  readonly repeatable?: boolean | undefined;
  /**
   * Whether a connection to an address may be made for this request; throws if not. A transport that resolves names itself asks for each address
   * that it has found, so that a name cannot lead elsewhere than it did when it was checked.
   */
  readonly checkAddress?: ((address: string) => void) | undefined;
  /**
   * The answer is large, and whoever reads it is done with each part of it before asking for the next: it may be gone then. Returns memory into
   * which the next part may be read, if there is some; a transport need not ask, and parts need not lie there. `unreadBytes` come before that part
   * and have not been handed out yet.
   */
  readonly bulk?: ((unreadBytes: number) => Uint8Array | undefined) | undefined;
}

/** What a request may carry. */
export type RequestBody = string | Uint8Array | RequestStream;

/** A body that is read once, while it is sent: a request with it is never repeated by itself. */
export interface RequestStream {
  /** Absent where nobody knows it yet: the body is sent in chunked transfer coding then. */
  readonly sizeBytes?: number | undefined;
  /** Once the next one is asked for, a chunk has been sent: its memory may be used for something else. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Whether a body can be sent again. */
export function isRequestStream(body: RequestBody | undefined): body is RequestStream {
  return typeof body === "object" && "chunks" in body;
}

/** What the client needs of an answer; the `Response` of `fetch` is one. A name of its own keeps node from loading all of `fetch`. */
export interface RegistryResponse {
  readonly status: number;
  /** Whether the status is 200 to 299. */
  readonly ok: boolean;
  readonly headers: { get(name: string): string | null };
  /** `cancel` lets go of a body that nobody reads. */
  readonly body: (AsyncIterable<Uint8Array> & { cancel(): Promise<void> }) | null;
}

/** Sends one request. Redirects are answers; following them is the client's business. */
export interface RegistryTransport extends Partial<AsyncDisposable> {
  (request: RegistryRequest): Promise<RegistryResponse>;
  /** The name in a URL is resolved where nobody can check its addresses: `checkAddress` is not asked for it. @defaultValue never */
  readonly resolvesElsewhere?: ((url: URL) => boolean) | undefined;
  /** Lets go of the connections that are kept for further requests; it opens others if there are more. */
  close?(): Promise<void>;
}
