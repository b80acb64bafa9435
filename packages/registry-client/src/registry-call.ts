/** What each call takes. */
export interface RegistryCall {
  readonly signal?: AbortSignal | undefined;
}

/** A signal that never fires, for calls without one. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}
