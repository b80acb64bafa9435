import type { Command } from "./measure.ts";

/** Ours or the peer's. */
export type Side = "ours" | "peer";

/** A comparison, ready to run. */
export interface PreparedBench extends AsyncDisposable {
  readonly ours: Command;
  readonly peer: Command;
  /** How many bytes the peer sends, where that is compared too: ours says it in the line that stops its clock. */
  readonly peerSentBytes?: number;
  /** Brings one side into the state that its next run is measured from; the time it takes does not count. */
  before?(side: Side, round: number): Promise<void>;
}

/** One comparison with a named peer. */
export interface BenchCase {
  readonly name: string;
  /** What is compared, in one line. */
  readonly description: string;
  /** The peer's name and version. */
  readonly peer: string;
  /** What the ratio of the medians, ours to the peer's, may be at most. */
  readonly goal: number;
  /** What our run may need of memory at most, in bytes. */
  readonly peakGoalBytes?: number;
  /** What our run may send at most, in terms of what the peer sends. */
  readonly sentGoal?: number;
  /** With a budget the ratio is that of the time over the peer's to this many milliseconds. */
  readonly budgetMs?: number;
  readonly rounds: number;
  prepare(): Promise<PreparedBench>;
}
