import type { BuildEvent, BuildEvents } from "@slipway/core";

import { plainLines } from "../plain-lines.ts";
import { noProgress, progressState, type ProgressState } from "../progress-state.ts";

/** An event of build `build-1`, or of another one. */
export function event<Type extends keyof BuildEvents>(
  type: Type,
  body: BuildEvents[Type],
  { timeMs = 1000, buildId = "build-1" } = {},
): BuildEvent {
  return { type, timeMs, buildId, ...body } as unknown as BuildEvent;
}

/** The state after events, each of which arrives when it happens. */
export function stateAfter(events: readonly BuildEvent[]): ProgressState {
  return events.reduce((state, each) => progressState(state, each, each.timeMs), noProgress);
}

/** The plain lines of events. */
export function plainText(events: readonly BuildEvent[]): string[] {
  let state = noProgress;
  return events.flatMap((each) => {
    const before = state;
    state = progressState(before, each, each.timeMs);
    return plainLines(before, each, state);
  });
}
