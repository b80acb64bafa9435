/** A request to a registry, or to the token service that it names. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal: AbortSignal;
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
export type RegistryTransport = (request: RegistryRequest) => Promise<RegistryResponse>;

/** How to reach registries over the network of this process. */
export interface FetchTransportOptions {
  /** Certificate authority of the registry, as PEM. @defaultValue those that Node trusts */
  readonly ca?: string | undefined;
}

/** The transport for registries that this process can reach itself. undici is loaded with the first request, and only for `ca`. */
export function createFetchTransport({ ca }: FetchTransportOptions = {}): RegistryTransport {
  if (ca === undefined)
    return ({ url, body, ...init }) => fetch(url, { ...init, body: body ?? null, redirect: "manual" });
  const loading = lazily(async () => {
    const { Agent, fetch: fetchWith } = await import("undici");
    return { fetchWith, dispatcher: new Agent({ connect: { ca } }) };
  });
  return async ({ url, body, ...init }) => {
    const { fetchWith, dispatcher } = await loading();
    return fetchWith(url, { ...init, body: body ?? null, redirect: "manual", dispatcher });
  };
}

function lazily<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let loaded: Promise<Value> | undefined;
  return () => (loaded ??= load());
}
