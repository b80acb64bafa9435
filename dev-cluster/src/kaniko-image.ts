import { type Artifact, type ArtifactStore, createArtifactStore } from "./artifact-store.ts";
import { clusterSite } from "./cluster-context.ts";
import { readRecord } from "./cluster-record.ts";
import { imageStore } from "./containerd.ts";
import { hashInputs } from "./content-hash.ts";
import { ensureProgram } from "./ensure-program.ts";
import { createFileTree } from "./file-tree.ts";
import { goArtifact, goPrograms, goVersion } from "./go-programs.ts";
import { type ImageConfig, writeImageLayout } from "./image-layout.ts";
import type { TestCluster } from "./test-cluster.ts";

/** The published image of the release that is built here, for clusters that this project did not start. */
const publicImage = "gcr.io/kaniko-project/executor:v1.24.0";
const repository = "localhost/slipway/kaniko";

/** Entrypoint, environment and folders are those of the published image; kaniko counts on them. */
const config: ImageConfig = {
  Env: [
    "HOME=/root",
    "USER=root",
    "PATH=/usr/local/bin:/kaniko",
    "SSL_CERT_DIR=/kaniko/ssl/certs",
    "DOCKER_CONFIG=/kaniko/.docker/",
  ],
  Entrypoint: ["/kaniko/executor"],
  WorkingDir: "/workspace",
};

/**
 * Makes the image of the kaniko executor, brings it to the nodes, and returns its reference. No start of a cluster waits for it: the compile takes
 * minutes, and only builds with kaniko need it.
 */
export async function ensureKanikoImage(cluster: TestCluster, onProgress?: (line: string) => void): Promise<string> {
  const site = clusterSite({ name: cluster.name });
  const record = cluster.owned ? readRecord(site.paths) : undefined;
  if (record === undefined) return publicImage;
  const executor = await ensureProgram("kaniko", onProgress);
  const store = createArtifactStore(site.cache);
  const artifact = imageArtifact(store, executor, await goVersion());
  const layout = await store.ensure(artifact);
  const nodes = cluster.nodes.flatMap((name) => {
    const init = record.inits[name];
    return init === undefined ? [] : [imageStore({ name, init }, record.packages)];
  });
  await Promise.all(nodes.map((node) => node.importLayout(layout)));
  return referenceOf(artifact);
}

function referenceOf(artifact: Artifact): string {
  return `${repository}:${artifact.key}`;
}

function imageArtifact(store: ArtifactStore, executor: string, go: string): Artifact {
  const program = goArtifact(store, goPrograms.kaniko, go);
  const artifact: Artifact = {
    name: "image-kaniko",
    key: hashInputs({ program: program.key, config: JSON.stringify(config), layout: "1" }),
    async build(folder) {
      const tree = createFileTree();
      await tree.addFile("/kaniko/executor", executor, { mode: 0o755 });
      for (const path of ["/kaniko/.docker", "/kaniko/ssl/certs", "/workspace"]) tree.addDirectory(path);
      tree.addDirectory("/kaniko", { mode: 0o777 }).addText("/etc/nsswitch.conf", "hosts: files dns\n");
      await writeImageLayout(folder, { reference: referenceOf(artifact), tree, config });
    },
  };
  return artifact;
}
