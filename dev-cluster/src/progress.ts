import { ClusterFailure } from "./failure.ts";

/** Reports the steps of a command while they run. */
export interface Progress {
  /** Prints a line of its own. */
  note(line: string): void;
  /** Runs one step: prints it when it starts, while it takes long, and with its duration when it ends or fails. */
  step<T>(title: string, run: () => Promise<T>): Promise<T>;
}

const stillRunningMs = 20_000;

/** Creates a progress that writes finished lines to `write`. Durations are seconds. */
export function createProgress(write: (line: string) => void, now: () => number = Date.now): Progress {
  const start = now();
  const line = (mark: string, text: string, sinceMs: number): void => {
    const at = ((now() - start) / 1000).toFixed(1).padStart(6);
    const took = mark === ">" ? "" : ` (${((now() - sinceMs) / 1000).toFixed(1)} s)`;
    write(`${at}s ${mark} ${text}${took}`);
  };
  return {
    note: (text) => line(">", text, now()),
    async step(title, run) {
      const began = now();
      line(">", title, began);
      const timer = setInterval(() => line(".", `${title}: still running`, began), stillRunningMs);
      timer.unref();
      try {
        const result = await run();
        line("+", title, began);
        return result;
      } catch (error) {
        line("!", `${title}: failed`, began);
        throw nameStep(title, error);
      } finally {
        clearInterval(timer);
      }
    },
  };
}

function nameStep(step: string, error: unknown): ClusterFailure {
  if (error instanceof ClusterFailure) {
    const { message, remedy, logFile, cause } = error;
    return error.step === undefined ? new ClusterFailure(message, { remedy, logFile, step, cause }) : error;
  }
  const message = error instanceof Error ? error.message : String(error);
  const remedy = "Run the command again: it continues where it stopped. `down --purge` starts from nothing.";
  return new ClusterFailure(message, { remedy, step, cause: error });
}
