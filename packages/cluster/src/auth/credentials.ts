/** What one request proves its identity with. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly certificate?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  /** When to ask again, in epoch milliseconds; never if absent. */
  readonly expiresAtMs?: number | undefined;
}

/** Hands out credentials that are still good, for as long as the process lives. */
export interface CredentialSource {
  get(): Promise<Credentials>;
  /** Newer ones than those that the server refused, or `undefined` if there is no way to get any. */
  replace(refused: Credentials): Promise<Credentials | undefined>;
}

const earlyMs = 60_000;

/** Early enough that a token does not expire on its way to the server, but not at once for a token that lives a minute. */
function staleAtMs(credentials: Credentials, loadedAtMs: number): number {
  if (credentials.expiresAtMs === undefined) return Number.POSITIVE_INFINITY;
  const lifetimeMs = credentials.expiresAtMs - loadedAtMs;
  return credentials.expiresAtMs - Math.min(earlyMs, lifetimeMs / 2);
}

/**
 * Caches what `load` returns until shortly before it expires, and runs it once however many requests wait for it.
 *
 * @param load - reads or fetches credentials
 * @param renewable - whether a second `load` may return something better than the first
 * @param now - in epoch milliseconds
 */
export function cacheCredentials(
  load: () => Promise<Credentials>,
  renewable: boolean,
  now: () => number = Date.now,
): CredentialSource {
  let loaded: { credentials: Credentials; staleAtMs: number } | undefined;
  let loading: Promise<Credentials> | undefined;
  const renew = (): Promise<Credentials> => {
    loading ??= load()
      .then((credentials) => {
        loaded = { credentials, staleAtMs: staleAtMs(credentials, now()) };
        return credentials;
      })
      .finally(() => (loading = undefined));
    return loading;
  };
  return {
    get: async () => (loaded && now() < loaded.staleAtMs ? loaded.credentials : renew()),
    replace: async (refused) => {
      if (!renewable) return undefined;
      if (loaded && loaded.credentials !== refused) return loaded.credentials;
      return renew();
    },
  };
}
