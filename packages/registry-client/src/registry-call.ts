/** What each call takes. */
export interface RegistryCall {
  readonly signal?: AbortSignal | undefined;
}

/** What calls take that read what mirrors may have, too. */
export interface ReadCall extends RegistryCall {
  /**
   * Asks the registry itself, not its mirrors: for what decides about a write, since a mirror does not tell what the registry has.
   * @defaultValue `false`
   */
  readonly direct?: boolean | undefined;
}

/** A signal that never fires, for calls without one. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal;
}
