import { join } from "node:path";

import { createArtifactStore, type Artifact } from "../../../dev-cluster/src/artifact-store.ts";
import { cacheFolder } from "../../../dev-cluster/src/cluster-paths.ts";
import { hashFolder, hashInputs } from "../../../dev-cluster/src/content-hash.ts";
import { goVersion } from "../../../dev-cluster/src/go-programs.ts";
import { runCommand } from "../../../dev-cluster/src/run-command.ts";

const sources = join(import.meta.dirname, "..", "..", "token-server");

/** The Go programs of the tests, by the folder of their source. */
const folders = { "token-server": sources, htpasswd: join(sources, "htpasswd") } as const;

/** Builds a Go program of the tests into the cache folder, unless it is there, and returns the path of its static binary. */
export async function ensureGoProgram(name: keyof typeof folders): Promise<string> {
  const store = createArtifactStore(cacheFolder());
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
  const cwd = folders[name];
  const artifact: Artifact = {
    name: `e2e-${name}`,
    key: hashInputs({ go: await goVersion(), arch: process.arch, source: hashFolder(cwd) }),
    build: async (folder) => {
      const flags = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];
      await runCommand(["go", "build", ...flags, "-o", join(folder, name), "."], { cwd, env });
    },
  };
  return join(await store.ensure(artifact), name);
}
