import { addressPlan } from "./address-plan.ts";
import { type ArtifactStore, createArtifactStore } from "./artifact-store.ts";
import {
  type ClusterArtifacts,
  type Preparation,
  binaryOf,
  imageReferences,
  planArtifacts,
  prepareArtifacts,
} from "./cluster-artifacts.ts";
import { type ClusterChoice, type ClusterSite, clusterSite, readPlan, writePlan } from "./cluster-context.ts";
import { findAilments } from "./cluster-health.ts";
import { type ClusterRecord, bootId, readRecord, writeRecord } from "./cluster-record.ts";
import { startControlPlane } from "./cluster-start.ts";
import { type ImageStore, imageStore } from "./containerd.ts";
import { purgeState, stopCluster } from "./down.ts";
import { ClusterFailure } from "./failure.ts";
import { withLock } from "./file-lock.ts";
import { generationOf } from "./generation.ts";
import { goVersion } from "./go-programs.ts";
import { type ImageName, imageNames } from "./image-recipes.ts";
import { chooseIndex } from "./network.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { checkGoVersion, findObstacle, thisMachine } from "./preflight.ts";
import type { Progress } from "./progress.ts";
import { seedRegistry, startRegistry } from "./registry.ts";
import { type TestCluster, describeCluster } from "./test-cluster.ts";

/** How to start a cluster. */
export interface UpOptions extends ClusterChoice {
  /** Adds routes from this machine to pods and Services: for debugging, tests must not need them. */
  readonly routes?: boolean;
  /** Whether a healthy cluster of other programs or configuration is started anew. @defaultValue false */
  readonly renew?: boolean;
}

interface Wanted {
  readonly site: ClusterSite;
  readonly store: ArtifactStore;
  readonly artifacts: ClusterArtifacts;
  readonly generation: string;
  readonly images: Readonly<Record<ImageName, string>>;
}

/** Starts the cluster, or does nothing when it runs and is healthy. */
export async function up(options: UpOptions, progress: Progress): Promise<TestCluster> {
  const site = clusterSite(options);
  const obstacle = findObstacle(thisMachine(site.cache));
  if (obstacle) throw obstacle;
  const wanted = await decide(site);
  const running = await findRunning(wanted, options, progress);
  if (running) return describeCluster(site.paths, running);
  const wait = (): void => progress.note("another command works on this cluster; waiting for it");
  return withLock(
    site.paths.lock,
    async () => {
      const record = (await findRunning(wanted, options, progress)) ?? (await converge(wanted, options, progress));
      return describeCluster(site.paths, record);
    },
    wait,
  );
}

async function decide(site: ClusterSite): Promise<Wanted> {
  const go = await goVersion();
  checkGoVersion(go);
  const store = createArtifactStore(site.cache);
  const artifacts = planArtifacts(store, go);
  const images = imageReferences(artifacts);
  return { site, store, artifacts, images, generation: generationOf(site, store, artifacts, images.pause) };
}

/** The record of the running cluster, if nothing needs to be done. */
async function findRunning(wanted: Wanted, options: UpOptions, progress: Progress): Promise<ClusterRecord | undefined> {
  const record = readRecord(wanted.site.paths);
  if (!record || !isAsWanted(record, wanted, options, progress)) return undefined;
  const hasAllImages = imageNames.every((name) => record.images[name] === wanted.images[name]);
  if (!hasAllImages) return undefined;
  const ailments = await findAilments(wanted.site.paths, record);
  if (ailments.length === 0) return record;
  progress.note(`the cluster must be mended: ${ailments.join(", ")}`);
  return undefined;
}

function isAsWanted(record: ClusterRecord, wanted: Wanted, options: UpOptions, progress: Progress): boolean {
  if (options.index !== undefined && options.index !== record.index) return false;
  if (options.routes) return false;
  if (record.generation === wanted.generation) return true;
  if (!options.renew) progress.note(`cluster ${record.name} runs with other programs or settings; \`up\` renews it`);
  return !options.renew;
}

async function converge(wanted: Wanted, options: UpOptions, progress: Progress): Promise<ClusterRecord> {
  const { site } = wanted;
  const preparation = prepareArtifacts(wanted.store, wanted.artifacts, progress);
  const record = readRecord(site.paths);
  const isSound =
    record && isAsWanted(record, wanted, options, progress) && (await findAilments(site.paths, record)).length === 0;
  if (isSound) return refresh(wanted, record, preparation, progress);
  return start(wanted, options, preparation, progress);
}

/** Brings new images into a cluster that runs. */
async function refresh(
  wanted: Wanted,
  record: ClusterRecord,
  preparation: Preparation,
  progress: Progress,
): Promise<ClusterRecord> {
  const sets = Object.entries(record.inits).filter(([name]) => name !== "control-plane");
  const stores = sets.map(([name, init]) => imageStore({ name, init }, record.packages));
  await provide(wanted, stores, firstNode(record.inits), preparation, progress);
  const renewed = { ...record, images: wanted.images };
  await writeRecord(wanted.site.paths, renewed);
  return renewed;
}

function firstNode(inits: ClusterRecord["inits"]): ProcessIdentity {
  const node = Object.entries(inits).find(([name]) => name !== "control-plane");
  if (!node) throw new ClusterFailure("The cluster has no node.", { remedy: "Run `down`, then `up`." });
  return node[1];
}

async function start(
  wanted: Wanted,
  options: UpOptions,
  preparation: Preparation,
  progress: Progress,
): Promise<ClusterRecord> {
  const { site, artifacts, store } = wanted;
  if (readRecord(site.paths) ?? site.cgroups.exists())
    await progress.step("end what was left of an earlier start", () => stopCluster(site));
  else await stopCluster(site);
  const [hyperFolder, , packages] = await Promise.all([
    preparation.program("hyper"),
    preparation.program("pause"),
    preparation.nodePackages(),
  ]);
  const plan = addressPlan(await takeIndex(site, options, progress));
  const inputs = {
    hyper: binaryOf(store, artifacts, "hyper"),
    pause: binaryOf(store, artifacts, "pause"),
    addons: async () => {
      await preparation.program("addons");
      return binaryOf(store, artifacts, "addons");
    },
    packages,
    pauseImage: { reference: wanted.images.pause, layout: () => preparation.image("pause") },
    routes: options.routes ?? false,
  };
  const { inits, stores, startNodes } = await startControlPlane(site, plan, inputs, progress);
  const [daemons] = await Promise.all([startNodes(), provide(wanted, stores, firstNode(inits), preparation, progress)]);
  const record = {
    name: site.name,
    index: plan.index,
    bootId: bootId(),
    generation: wanted.generation,
    images: wanted.images,
    inits,
    daemons,
    kubectl: `${hyperFolder}/kubectl`,
    packages,
  };
  await writeRecord(site.paths, record);
  return record;
}

/** State belongs to one address plan: certificates and Services name its addresses. */
async function takeIndex(site: ClusterSite, options: UpOptions, progress: Progress): Promise<number> {
  const last = readPlan(site.paths)?.index;
  const index = await chooseIndex(site.paths.id, options.index, last);
  if (last !== undefined && last !== index) {
    await progress.step(`forget the state of index ${last}: this cluster gets index ${index}`, () => purgeState(site));
  }
  writePlan(site.paths, addressPlan(index));
  return index;
}

/** Loads all images and starts the registry, each as soon as it can be. */
async function provide(
  wanted: Wanted,
  stores: readonly ImageStore[],
  node: ProcessIdentity,
  preparation: Preparation,
  progress: Progress,
): Promise<void> {
  const load = async (name: ImageName): Promise<string> => {
    const layout = await preparation.image(name);
    await Promise.all(stores.map((store) => store.importLayout(layout)));
    return layout;
  };
  const registry = async (): Promise<void> => {
    await load("registry");
    await progress.step("start the registry and seed it", async () => {
      await startRegistry(wanted.site, wanted.images.registry);
      const [busybox, cBase] = await Promise.all([preparation.image("busybox"), preparation.image("cBase")]);
      await seedRegistry(node, { busybox, cBase });
    });
  };
  const images = async (): Promise<void> => {
    for (const name of imageNames) if (name !== "registry") await load(name);
  };
  await Promise.all([registry(), progress.step("load images into the nodes", images)]);
}
