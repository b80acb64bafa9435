import type { OptionBuilds } from "./option-builds.ts";

/** An option, and where a test sees that it does what it says. */
export interface OptionRow {
  /** Where it shows: in a live object, or in what the build has made or said. */
  readonly shows: string;
  readonly check: (builds: OptionBuilds) => Promise<void> | void;
}

/** Rows by the names of options; `cache.ttl` is a key of `cache`. */
export type OptionRows<Name extends string = string> = Readonly<Record<Name, OptionRow>>;
