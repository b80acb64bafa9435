import type { BuildEvent } from "@slipway/core";

import { buildAfter, newBuild, type BuildProgress } from "./build-progress.ts";

/** What all events so far have told, oldest build first. Plain data. */
export interface ProgressState {
  readonly builds: readonly BuildProgress[];
}

/** The state before any event. */
export const noProgress: ProgressState = Object.freeze({ builds: Object.freeze([]) });

/**
 * The state after an event. Takes events of several builds and in any order; what it does not know changes nothing.
 *
 * @param nowMs - When this process got the event, in milliseconds since 1970; running steps are timed from here, because the
 * engine's clock may be another one.
 */
export function progressState(state: ProgressState, event: BuildEvent, nowMs: number): ProgressState {
  const { builds } = state;
  const index = builds.findLastIndex(({ id }) => id === event.buildId);
  const known = builds[index];
  const before = known ?? newBuild(event, nowMs);
  const after = buildAfter(before, event, nowMs);
  if (after === known) return state;
  return { builds: index < 0 ? [...builds, after] : builds.with(index, after) };
}

/** The build of an event. */
export function buildOf(state: ProgressState, event: BuildEvent): BuildProgress | undefined {
  return state.builds.findLast(({ id }) => id === event.buildId);
}

/**
 * What to call a build among others: the last part of its name, `api:1` for `registry.example.com/team/api:1`; where that is not enough,
 * the whole name, and with another build of the same name a piece of the id.
 */
export function buildLabel({ builds }: ProgressState, { id, name }: BuildProgress): string {
  const others = builds.filter((other) => other.id !== id);
  const label = lastPart(name);
  if (others.some((other) => other.name === name)) return `${label} ${id.slice(0, 8)}`;
  return others.some((other) => lastPart(other.name) === label) ? name : label;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1) || name;
}
