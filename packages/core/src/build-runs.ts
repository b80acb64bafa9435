import type { BuildResult } from "./build-result.ts";
import type { BuildRun } from "./build-run.ts";
import type { BuildWork } from "./build-work.ts";
import { TrackedRun } from "./tracked-run.ts";

/** What makes a run of a build. */
export interface BuildToTrack {
  readonly id: string;
  readonly build: () => Promise<BuildResult>;
  /** Of a build that was started here. */
  readonly name?: string;
  readonly outputs?: readonly string[];
  /** Kills a build that is only followed. */
  readonly kill?: (reason: string | undefined) => Promise<void>;
}

/** The builds of one builder that are queued or under way. */
export class BuildRuns {
  /** With the names of those that were started here. */
  readonly #runs = new Map<TrackedRun, string | undefined>();

  /** Starts a build, and knows it until it has ended. */
  track({ driver, scope, journal }: BuildWork, { id, build, name, outputs = [], kill }: BuildToTrack): BuildRun {
    const own = { id, driver: driver.name, scope, journal, outputs, work: build };
    const run = new TrackedRun({ ...own, ...(kill === undefined ? {} : { kill }) });
    this.#runs.set(run, name);
    void run.ended.then(() => this.#runs.delete(run));
    return run;
  }

  /** Ends the builds of a name in favour of a later one. Those that are dying already are among them: that one has to wait for them, too. */
  overtake(name: string, buildId: string): readonly TrackedRun[] {
    const overtaken = [...this.#runs].flatMap(([run, other]) => (other === name ? [run] : []));
    for (const run of overtaken) run.giveWay(buildId);
    return overtaken;
  }

  /** Lets go of all, and waits until they have ended. */
  async close(reason: string): Promise<void> {
    const runs = [...this.#runs.keys()];
    for (const run of runs) run.leave(reason);
    await Promise.all(runs.map((run) => run.ended));
  }
}
