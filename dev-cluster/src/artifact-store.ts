import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

import { withLock } from "./file-lock.ts";
import { identifyProcess, isAlive } from "./process-identity.ts";

/** Something that is built or downloaded once, and found again by a hash of its inputs. */
export interface Artifact {
  readonly name: string;
  /** Hash of everything that decides the contents. */
  readonly key: string;
  /** Fills the folder. It is given a temporary one that is renamed when complete. */
  build(folder: string): Promise<void>;
}

/** A folder of finished artifacts that several processes may share. */
export interface ArtifactStore {
  readonly cache: string;
  /** Where the artifact lies once it is built. */
  folder(artifact: Artifact): string;
  has(artifact: Artifact): boolean;
  /** Builds the artifact unless it is there, and returns its folder. */
  ensure(artifact: Artifact, onWait?: () => void): Promise<string>;
  logFile(artifact: Artifact): string;
}

/** Creates the store in the folder `cache`. */
export function createArtifactStore(cache: string): ArtifactStore {
  const id = (artifact: Artifact): string => `${artifact.name}-${artifact.key}`;
  const folder = (artifact: Artifact): string => join(cache, "artifacts", id(artifact));
  const has = (artifact: Artifact): boolean => existsSync(folder(artifact));
  return {
    cache,
    folder,
    has,
    logFile: (artifact) => join(cache, "logs", `${id(artifact)}.log`),
    async ensure(artifact, onWait) {
      if (!has(artifact))
        await withLock(join(cache, "locks", id(artifact)), () => buildOnce(cache, artifact, folder(artifact)), onWait);
      return folder(artifact);
    },
  };
}

async function buildOnce(cache: string, artifact: Artifact, target: string): Promise<void> {
  if (existsSync(target)) return;
  const unfinished = join(cache, "unfinished");
  await mkdir(join(cache, "artifacts"), { recursive: true });
  await mkdir(unfinished, { recursive: true });
  await removeAbandoned(unfinished);
  const folder = join(
    unfinished,
    `${artifact.name}-${artifact.key}.${process.pid}.${identifyProcess(process.pid)?.startTicks ?? 0}`,
  );
  await mkdir(folder);
  try {
    await artifact.build(folder);
    await rename(folder, target);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What a killed process left: the name says which process it was. */
async function removeAbandoned(unfinished: string): Promise<void> {
  for (const name of await readdir(unfinished)) {
    const [startTicks = "", pid = ""] = name.split(".").reverse();
    if (isAlive({ pid: Number(pid), startTicks })) continue;
    await rm(join(unfinished, name), { recursive: true, force: true });
  }
}
