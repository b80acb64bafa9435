import { createHash } from "node:crypto";

/**
 * Chooses the pod for a key by rendezvous hashing: the same key gets the same pod as long as that pod is there, and a pod that comes
 * or goes moves only the keys that are its own. BuildKit keeps a context's files in the pod that built it last.
 *
 * @returns undefined when there are no pods
 */
export function chooseSticky(pods: readonly string[], key: string): string | undefined {
  let best: { pod: string; weight: bigint } | undefined;
  for (const pod of pods) {
    const weight = createHash("sha256").update(pod).update("\0").update(key).digest().readBigUInt64BE(0);
    if (best === undefined || weight > best.weight) best = { pod, weight };
  }
  return best?.pod;
}

/** Chooses any pod; `random` is in [0, 1). */
export function chooseRandom(pods: readonly string[], random: number): string | undefined {
  return pods[Math.floor(random * pods.length)];
}
