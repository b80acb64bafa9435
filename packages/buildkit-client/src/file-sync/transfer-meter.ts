import type { TransferProgress } from "../solve/solve-request.ts";

const intervalMs = 100;

/** Counts what one walk shows and sends, and reports it a few times a second. */
export class TransferMeter {
  files = 0;
  totalBytes = 0;
  sentFiles = 0;
  sentBytes = 0;
  wireBytes = 0;
  done = false;
  readonly #walk: Pick<TransferProgress, "id" | "name" | "paths">;
  readonly #report: (progress: TransferProgress) => void;
  #reportedMs = 0;

  constructor(walk: Pick<TransferProgress, "id" | "name" | "paths">, report: (progress: TransferProgress) => void) {
    this.#walk = walk;
    this.#report = report;
  }

  /** Reports if the last report was long enough ago. */
  tick(): void {
    const nowMs = performance.now();
    if (nowMs - this.#reportedMs < intervalMs) return;
    this.#reportedMs = nowMs;
    this.#report(this.snapshot());
  }

  /** Reports for the last time. */
  finish(): void {
    this.done = true;
    this.#report(this.snapshot());
  }

  snapshot(): TransferProgress {
    const { files, totalBytes, sentFiles, sentBytes, wireBytes, done } = this;
    return { ...this.#walk, files, totalBytes, sentFiles, sentBytes, wireBytes, done };
  }
}
