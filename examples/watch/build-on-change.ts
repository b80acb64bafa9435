import { BuilderError, type BuildOptions, type Builder } from "slipway";
import { watchContext } from "slipway/context";

/** What to keep up to date, and who wants to know. */
export interface WatchedImage {
  readonly name: string;
  readonly context: string;
  readonly tags: readonly string[];
  readonly onImage: (reference: string) => void;
  readonly onError: (error: BuilderError) => void;
}

// #region loop
/** Builds an image now and after each change of its files, until the signal fires. A change while it is built begins anew, with what is there then. */
export async function buildOnChange(builder: Builder, image: WatchedImage, signal: AbortSignal): Promise<void> {
  const { name, context, tags, onImage, onError } = image;
  const options: BuildOptions = {
    name,
    context,
    tags,
    supersedes: "image",
    skipIfPresent: builder.supports("skipIfPresent"),
  };
  const build = async (): Promise<void> => {
    try {
      onImage((await builder.build(options, { signal }).image()).reference);
    } catch (thrown) {
      const error = BuilderError.from(thrown);
      // A newer build is on its way already; everything else somebody has to know.
      if (error.code !== "ABORTED" || error.details.supersededBy === undefined) onError(error);
    }
  };
  await using watcher = watchContext(context, { signal });
  let last = build();
  try {
    for await (const _change of watcher) last = build();
  } finally {
    // It has waited for those before it.
    await last;
  }
}
// #endregion loop
