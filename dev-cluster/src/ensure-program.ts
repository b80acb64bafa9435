import { createArtifactStore } from "./artifact-store.ts";
import { cacheFolder } from "./cluster-paths.ts";
import { type GoProgramName, goArtifact, goPrograms, goVersion, programBinary } from "./go-programs.ts";
import { createProgress } from "./progress.ts";

/**
 * Builds a program from its public Go module into the cache folder, unless it is there, and returns the path of its
 * binary. `ensureProgram("buildx")` gives the benches their peer.
 */
export async function ensureProgram(name: GoProgramName, onProgress?: (line: string) => void): Promise<string> {
  const store = createArtifactStore(cacheFolder());
  const artifact = goArtifact(store, goPrograms[name], await goVersion());
  const progress = createProgress(onProgress ?? (() => undefined));
  const folder = store.has(artifact)
    ? store.folder(artifact)
    : await progress.step(`compile ${goPrograms[name].title}`, () => store.ensure(artifact));
  return programBinary(folder, name);
}
