import type { BuildEvent } from "./build-event.ts";
import type { BuildResult, BuiltImage } from "./build-result.ts";
import type { BuildRun } from "./build-run.ts";
import { BuilderError } from "./builder-error.ts";
import { callError } from "./call-scope.ts";
import type { CallScope } from "./call-scope.ts";
import type { EventJournal } from "./event-journal.ts";

const left = "the run was left before the build ended";

/** What makes a run a build that was started or one that is only followed. */
export interface RunInit {
  readonly id: string;
  readonly driver: string;
  readonly scope: CallScope;
  readonly journal: EventJournal;
  /** Of the outputs, for `NO_IMAGE`. */
  readonly outputs: readonly string[];
  /** The build itself, from the wait in the queue to its result. */
  readonly work: () => Promise<BuildResult>;
  /** Kills a build that is only followed; without it, aborting the scope does. */
  readonly kill?: (reason: string | undefined) => Promise<void>;
}

/** A build, as this process sees it: turns work that settles into events, a result and one terminal event. */
export class TrackedRun implements BuildRun {
  readonly id: string;
  /** Resolves when the build has ended, however it did. */
  readonly ended: Promise<void>;
  readonly #init: RunInit;
  readonly #result: Promise<BuildResult>;
  #error: BuilderError | undefined;
  #over = false;

  constructor(init: RunInit) {
    this.id = init.id;
    this.#init = init;
    this.#result = this.#run();
    this.ended = this.#result.then(
      () => undefined,
      () => undefined,
    );
  }

  result(): Promise<BuildResult> {
    return this.#result;
  }

  async image(): Promise<BuiltImage> {
    const { image } = await this.#result;
    if (image !== undefined) return image;
    const { outputs, driver } = this.#init;
    throw new BuilderError({
      code: "NO_IMAGE",
      message: `Build ${this.id} made no image: its outputs are ${outputs.join(", ") || "unknown"}. Choose the output "push", "oci" or "docker".`,
      details: { outputs },
      driver,
    });
  }

  async cancel(reason?: string): Promise<void> {
    if (this.#over) return;
    if (this.#init.kill !== undefined) await this.#init.kill(reason);
    this.leave(reason ?? "cancel was called");
    await this.ended;
  }

  /** Lets go without waiting: ends a build that was started, and leaves alone one that is followed. */
  leave(reason: string): void {
    this.#init.scope.abort(reason);
  }

  /** Ends a build in favour of another one. */
  giveWay(buildId: string): void {
    this.#init.scope.abort(`build ${buildId} of the same image took its place`, buildId);
  }

  [Symbol.asyncIterator](): AsyncIterator<BuildEvent, undefined> {
    const done = { done: true, value: undefined } as const;
    let finished = false;
    return {
      next: async () => {
        if (finished) return done;
        const event = await this.#init.journal.buffer.shift();
        if (event !== undefined) return { done: false, value: event };
        finished = true;
        if (this.#error !== undefined) throw this.#error;
        return done;
      },
      return: async () => {
        finished = true;
        await this[Symbol.asyncDispose]();
        return done;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.leave(left);
    await this.ended;
  }

  async #run(): Promise<BuildResult> {
    const { scope, journal, driver, work } = this.#init;
    // The caller has the run in hand before anything but the wait in the queue is reported.
    await Promise.resolve();
    try {
      const result = await work();
      this.#over = true;
      journal.publish("build-end", { outcome: "succeeded", result });
      return result;
    } catch (thrown) {
      const error = callError(thrown, scope, driver);
      this.#over = true;
      this.#error = error;
      journal.publish("build-end", {
        outcome: error.code === "ABORTED" ? "canceled" : "failed",
        error: error.toJSON(),
      });
      throw error;
    } finally {
      scope[Symbol.dispose]();
    }
  }
}
