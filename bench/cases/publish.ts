import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { createRegistryClient } from "@slipway/registry-client";

import { createArtifactStore } from "../../dev-cluster/src/artifact-store.ts";
import { cacheFolder } from "../../dev-cluster/src/cluster-paths.ts";
import { libraryTriplet, programPackagesArtifact } from "../../dev-cluster/src/deb-packages.ts";
import { ensureProgram } from "../../dev-cluster/src/index.ts";
import { createTestImage, pushTestImage } from "../../e2e/publish/test-image.ts";
import { startDistribution, type DistributionProcess } from "../../e2e/support/registries/start-distribution.ts";
import type { BenchCase } from "../bench-case.ts";
import { measure, type Command } from "../measure.ts";

const platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"];
/** Of each platform, 1 GB in all: few large layers and many small ones, as images have them. */
const layerBytes = [180_000_000, 90_000_000, 40_000_000, 12_000_000, 8_000_000, 3_000_000, 333_333];
const skopeoPackages = ["skopeo", "libgpgme11", "libassuan0", "libgpg-error0", "libdevmapper1.02.1"];

/** An image from one registry to another one that is empty. */
export const publish: BenchCase = {
  name: "publish",
  description: "copy 1 GB, 3 platforms with attestations, from registry to registry",
  peer: "the faster of regctl 0.11.7 and skopeo",
  goal: 1,
  peakGoalBytes: 150e6,
  rounds: 5,
  prepare: async () => {
    await useMemory();
    await using stack = new AsyncDisposableStack();
    const source = stack.use(await startDistribution());
    const destination = stack.use(await startDistribution());
    await pushTestImage(
      createRegistryClient({ registry: source.host }),
      "bench/image",
      "1",
      createTestImage({ platforms, layerBytes }),
    );
    const folder = await mkdtemp(join(tmpdir(), "slipway-bench-"));
    stack.defer(() => rm(folder, { recursive: true, force: true }));
    const names = { source: `${source.host}/bench/image:1`, destination: `${destination.host}/bench/image:1` };
    const before = (): Promise<void> => rm(join(destination.folder, "docker"), { recursive: true, force: true });
    const peers = [await regctl(source, destination, names), await skopeo(names)];
    const peer = await fastest(peers, before);
    const owned = stack.move();
    return {
      ours: {
        argv: [process.execPath, resolve(import.meta.dirname, "../programs/slipway-publish.mjs")],
        // As a command-line tool does with `module.enableCompileCache()`: the peers are compiled as well.
        env: { SLIPWAY_BENCH: JSON.stringify(names), NODE_COMPILE_CACHE: join(folder, "compile-cache") },
      },
      peer,
      before,
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
};

const memoryFolder = "/dev/shm";

/** Registries keep their data in memory where there is enough, so that no disk is measured. */
async function useMemory(): Promise<void> {
  const { bavail, bsize } = await statfs(memoryFolder).catch(() => ({ bavail: 0, bsize: 0 }));
  if (bavail * bsize > 4e9) process.env["TMPDIR"] = memoryFolder;
}

interface Names {
  readonly source: string;
  readonly destination: string;
}

async function regctl(source: DistributionProcess, destination: DistributionProcess, names: Names): Promise<Command> {
  const hosts = [source, destination].flatMap(({ host }) => ["--host", `reg=${host},tls=disabled`]);
  const program = await ensureProgram("regctl", (line) => console.error(line));
  return { argv: [program, ...hosts, "image", "copy", names.source, names.destination] };
}

/** Debian's: the modules of newer versions are not to be had from the module proxy. */
async function skopeo({ source, destination }: Names): Promise<Command> {
  const store = createArtifactStore(cacheFolder());
  const root = await store.ensure(programPackagesArtifact(store, "skopeo", skopeoPackages));
  const flags = ["--insecure-policy", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"];
  const libraries = ["usr/lib", "lib"].map((folder) => join(root, folder, libraryTriplet()));
  return {
    argv: [join(root, "usr/bin/skopeo"), ...flags, `docker://${source}`, `docker://${destination}`],
    env: { LD_LIBRARY_PATH: libraries.join(":") },
  };
}

/** The peer that is faster at its second run. */
async function fastest(peers: readonly Command[], before: () => Promise<void>): Promise<Command> {
  const times: { readonly peer: Command; readonly wallMs: number }[] = [];
  for (const peer of [...peers, ...peers]) {
    await before();
    const { wallMs } = await measure(peer);
    console.error(`  ${peer.argv[0]?.split("/").at(-1) ?? ""}: ${wallMs.toFixed(0)} ms`);
    times.push({ peer, wallMs });
  }
  const [first] = times.slice(peers.length).sort((a, b) => a.wallMs - b.wallMs);
  if (first === undefined) throw new Error("no peer");
  console.error(`  the faster one: ${first.peer.argv[0] ?? ""}`);
  return first.peer;
}
