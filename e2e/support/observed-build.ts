import { BuilderError, type BuildEvent, type BuildResult, type BuildRun } from "slipway";

/** A build whose events are collected as they come. */
export interface ObservedBuild {
  readonly events: readonly BuildEvent[];
  /** Resolves with the first event that matches, also if it has come already; rejects if the build ends without one. */
  waitFor<Type extends BuildEvent["type"]>(
    type: Type,
    matches?: (event: BuildEvent<Type>) => boolean,
  ): Promise<BuildEvent<Type>>;
  /** How the build ended, once all its events are there. */
  readonly outcome: Promise<BuildResult | BuilderError>;
}

/** Follows a build to its end. */
export function observeBuild(run: BuildRun): ObservedBuild {
  const events: BuildEvent[] = [];
  let wake = Promise.withResolvers<undefined>();
  let isOver = false;
  const follow = async (): Promise<void> => {
    try {
      for await (const event of run) {
        events.push(event);
        wake.resolve(undefined);
        wake = Promise.withResolvers();
      }
    } catch {
      // The iteration throws what result() rejects with.
    } finally {
      isOver = true;
      wake.resolve(undefined);
    }
  };
  const following = follow();
  return {
    events,
    outcome: run.result().then(
      (result) => following.then(() => result),
      async (error: unknown) => {
        await following;
        if (BuilderError.isInstance(error)) return error;
        throw error;
      },
    ),
    waitFor: async <Type extends BuildEvent["type"]>(
      type: Type,
      matches: (event: BuildEvent<Type>) => boolean = () => true,
    ) => {
      for (let seen = 0; ;) {
        for (; seen < events.length; seen += 1) {
          const event = events[seen] as unknown as BuildEvent<Type>;
          if (event.type === type && matches(event)) return event;
        }
        if (isOver) throw new Error(`The build ended without ${type}: ${JSON.stringify(events.at(-1))}`);
        await wake.promise;
      }
    },
  };
}

/** The result of an observed build; rejects with the error that it failed with. */
export async function resultOf({
  outcome,
}: {
  readonly outcome: ObservedBuild["outcome"] | BuildResult | BuilderError;
}): Promise<BuildResult> {
  const settled = await outcome;
  if (settled instanceof BuilderError) throw settled;
  return settled;
}
