import type { BuildEvent } from "./build-event.ts";
import type { BuildResult, BuiltImage } from "./build-result.ts";

/**
 * A build, as this process sees it. Iteration yields each event once and ends as the build ends: it returns, or throws the
 * `BuilderError`. Leaving (`break`, `using`, signal, `close`) cancels what `build` started and lets go of what `attach` follows.
 */
export interface BuildRun extends AsyncIterable<BuildEvent>, AsyncDisposable {
  readonly id: string;
  /** Works with or without iterating. */
  result(): Promise<BuildResult>;
  /** The image of `result()`. @throws `NO_IMAGE` */
  image(): Promise<BuiltImage>;
  /** Resolves when the remote build is dead. */
  cancel(reason?: string): Promise<void>;
}
