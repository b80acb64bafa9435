import { completeResult } from "./build-completion.ts";
import { buildWithRetries, guardRequest } from "./build-attempts.ts";
import type { QueuePlace } from "./build-queue.ts";
import type { BuildResult } from "./build-result.ts";
import { checkPresence, recordBuilt } from "./build-skip.ts";
import type { BuildRequest, BuilderDriver, DriverBuildResult, DriverCall } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import type { BuildInfo } from "./builder-status.ts";
import type { CallScope } from "./call-scope.ts";
import { checkContexts } from "./context-check.ts";
import type { EventJournal } from "./event-journal.ts";
import type { TrackedRun } from "./tracked-run.ts";

/** What one build is done with. */
export interface BuildWork {
  readonly driver: BuilderDriver;
  readonly scope: CallScope;
  readonly journal: EventJournal;
  /** A fresh bag for each attempt, because the time left gets less. */
  readonly driverCall: () => DriverCall;
  /** About how the build was asked for. */
  readonly warnings?: readonly string[];
  /** Builds that give way to this one. */
  readonly overtaken?: readonly Pick<TrackedRun, "ended">[];
}

/** Waits for its turn, builds, and completes the result. */
export async function doBuild(
  request: BuildRequest,
  place: QueuePlace,
  retries: number,
  work: BuildWork,
): Promise<BuildResult> {
  const { driver, scope, journal } = work;
  const queuedAt = performance.now();
  await untilDead(work);
  return place.turn(scope.signal, async () => {
    const startedAt = performance.now();
    scope.startDeadline();
    journal.publish("build-start", { name: request.name, driver: driver.name, tags: request.tags });
    for (const message of work.warnings ?? []) journal.emit({ type: "warning", message });
    const checked = await checkContexts(request);
    scope.signal.throwIfAborted();
    const guarded = guardRequest(checked);
    const check = request.skipIfPresent ? await checkPresence(guarded.request, driver, work.driverCall()) : undefined;
    const finish = (returned: DriverBuildResult, skipped: boolean): BuildResult => {
      const endedAt = performance.now();
      const times = { queuedMs: Math.round(startedAt - queuedAt), durationMs: Math.round(endedAt - startedAt) };
      return complete(returned, { ...times, ...request, buildId: request.id, skipped }, work);
    };
    if (check?.image !== undefined) {
      journal.publish("build-skip", { reference: check.image.reference, identity: check.identity });
      return finish(check.image, true);
    }
    const returned = await buildWithRetries(guarded, {
      retries,
      signal: scope.signal,
      attempt: (attempted) => driver.build(attempted, work.driverCall()),
      onRetry: (attempt, error) => journal.publish("build-retry", { attempt, error: error.toJSON() }),
    });
    if (check !== undefined && returned.digest !== undefined)
      await recordBuilt(guarded.request, check, returned.digest, driver, work.driverCall());
    return finish(returned, false);
  });
}

/** A build that is dying might still move a tag. */
async function untilDead({ overtaken = [], scope: { signal } }: BuildWork): Promise<void> {
  if (overtaken.length === 0 || signal.aborted) return;
  const aborted = Promise.withResolvers<undefined>();
  const stop = (): void => aborted.resolve(undefined);
  signal.addEventListener("abort", stop, { once: true });
  await Promise.race([Promise.all(overtaken.map(({ ended }) => ended)), aborted.promise]);
  signal.removeEventListener("abort", stop);
}

/** Follows a build that another process may have started. */
export async function followBuild(buildId: string, work: BuildWork): Promise<BuildResult> {
  const { driver, scope, journal } = work;
  scope.signal.throwIfAborted();
  scope.startDeadline();
  const startedAt = performance.now();
  const info = await findBuild(buildId, driver, work.driverCall());
  journal.publish("build-start", { name: info.name, driver: driver.name, tags: info.tags });
  const returned = (await driver.attach?.(buildId, work.driverCall())) ?? {};
  const times = { queuedMs: 0, durationMs: info.durationMs ?? Math.round(performance.now() - startedAt) };
  return complete(returned, { ...times, buildId, tags: info.tags, platforms: [] }, work);
}

type CompletionParts = Omit<Parameters<typeof completeResult>[1], "driver" | "record">;

function complete(returned: DriverBuildResult, parts: CompletionParts, { driver, journal }: BuildWork): BuildResult {
  journal.flush();
  return completeResult(returned, { ...parts, driver: driver.name, record: journal.record });
}

async function findBuild(buildId: string, driver: BuilderDriver, call: DriverCall): Promise<BuildInfo> {
  const info = (await driver.builds?.(call))?.find((build) => build.id === buildId);
  if (info !== undefined) return info;
  throw new BuilderError({
    code: "BUILD_NOT_FOUND",
    message: `No build has the id ${buildId}, or its record has expired. List what there is with builds().`,
    details: { buildId },
    driver: driver.name,
  });
}
