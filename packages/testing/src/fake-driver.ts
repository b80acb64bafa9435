import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { BuilderError, BuiltImages, normalizePlatform, repositoryOf, unlessAborted } from "@slipway/core";
import type {
  BuildRequest,
  BuilderDriver,
  BuilderState,
  DriverBuildResult,
  DriverCall,
  Feature,
  Operation,
  RegistryResource,
} from "@slipway/core";

import { FakeCluster } from "./fake-cluster.ts";
import type { FakeRemoteBuild } from "./fake-cluster.ts";
import { fakeIdentity } from "./fake-identity.ts";
import { fakeKeychainCall } from "./fake-keychain-call.ts";
import { publishFake } from "./fake-publish.ts";
import { imageNameOf, pulledRegistryOf, registryOf } from "./image-names.ts";
import { parseFakeDockerfile } from "./fake-dockerfile.ts";
import { servedDigest } from "./served-digest.ts";

/** What a fake driver does. */
export interface FakeDriverOptions {
  /** @defaultValue `"fake"` */
  readonly name?: string;
  /** @defaultValue {@link fakeFeatures} */
  readonly features?: readonly Feature[];
  /** Where builds run. @defaultValue a cluster of its own */
  readonly cluster?: FakeCluster;
  /** Added to the time of each step. @defaultValue 0 */
  readonly stepMs?: number;
  /** How long a build takes to die. @defaultValue 0 */
  readonly killMs?: number;
  /** Called before each attempt at a build; may wait, emit, or throw what a real driver would. Once the signal fires, nothing waits for it. */
  readonly beforeBuild?: (request: BuildRequest, call: DriverCall) => void | Promise<void>;
  /**
   * Called when `publish` brings an image to a repository, with the first destination in it as it was asked for; not in a dry run. May wait, or throw what a real
   * registry would: the other destinations go on meanwhile. Once the signal fires, nothing waits for it.
   */
  readonly beforePush?: (destination: string, call: { readonly signal: AbortSignal }) => void | Promise<void>;
}

/** A driver with every operation, which runs builds in memory. */
export type FakeDriver = BuilderDriver &
  Required<Pick<BuilderDriver, Operation | "bootstrap" | "status" | "identify" | "recordIdentity">> & {
    /** What its builds have left. */
    readonly cluster: FakeCluster;
  };

/** What the fake driver can do unless it is told otherwise. */
export const fakeFeatures: readonly Feature[] = Object.freeze([
  "annotations",
  "secrets",
  "platforms:many",
  "skipIfPresent",
  "context:tar",
  "outputs:oci",
  "outputs:docker",
  "outputs:cache-only",
  "cacheFrom:registry",
  "cacheTo:registry",
] satisfies Feature[]);

/**
 * A driver for tests. It interprets a small part of the Dockerfile language ({@link parseFakeDockerfile}), keeps what it built in its
 * {@link FakeCluster}, and obeys every rule of a driver: the conformance suite passes.
 */
export function createFakeDriver(options: FakeDriverOptions = {}): FakeDriver {
  const {
    name = "fake",
    features = fakeFeatures,
    cluster = new FakeCluster(),
    stepMs = 0,
    killMs = 0,
    beforeBuild,
    beforePush,
  } = options;
  let state: BuilderState = "inactive";
  const versions = new BuiltImages(fakeIdentity);
  /** Registries that this driver has brought images to. */
  const pushedTo = new Set<string>();
  const authorize = async (call: DriverCall, resource: RegistryResource) => {
    await call.credentials.resolve(resource, fakeKeychainCall(cluster, call));
  };
  const start = async (request: BuildRequest, call: DriverCall) => {
    await unlessAborted(Promise.resolve(beforeBuild?.(request, call)), call.signal);
    const steps = parseFakeDockerfile(await dockerfileText(request));
    for (const tag of request.tags) await authorize(call, { ...imageNameOf(tag), actions: ["push"] });
    call.signal.throwIfAborted();
    state = "running";
    return cluster.start(request, { steps, stepMs, killMs });
  };
  return {
    specificationVersion: "v1",
    name,
    features,
    cluster,
    async build(request, call) {
      const startedMs = Date.now();
      const remote = await start(request, call);
      const built = await followToItsEnd(remote, call, remote.ended, () => remote.kill());
      if (request.outputs.some(({ type }) => type === "push"))
        for (const tag of request.tags) pushedTo.add(registryOf(tag));
      if (built.digest !== undefined) versions.add(built.digest, request, startedMs);
      return built;
    },
    async submit(request, call) {
      await start(request, call);
    },
    async attach(buildId, call) {
      const letGo = new AbortController();
      const gone = new Promise<never>((_, reject) =>
        letGo.signal.addEventListener("abort", () => reject(call.signal.reason as Error)),
      );
      return followToItsEnd(buildIn(cluster, buildId), call, gone, () => letGo.abort());
    },
    async cancel(buildId) {
      const remote = buildIn(cluster, buildId);
      remote.kill();
      await remote.ended.catch(() => undefined);
    },
    async builds() {
      return [...cluster.builds.values()].map((build) => build.info());
    },
    async bootstrap() {
      state = "running";
    },
    async status() {
      const activeBuilds = [...cluster.builds.values()].filter((build) => build.alive).length;
      return { state, nodes: [{ name: `${name}-0`, state, platforms: ["linux/amd64"], activeBuilds }] };
    },
    async prune() {
      const objects = cluster.prune();
      return { reclaimedBytes: objects.length, objects };
    },
    async diskUsage() {
      const records = [...cluster.builds.values()].map(({ id, alive }) => ({
        id,
        node: `${name}-0`,
        kind: "build",
        sizeBytes: 1,
        inUse: alive,
      }));
      return {
        totalBytes: records.length,
        reclaimableBytes: records.filter((record) => !record.inUse).length,
        records,
      };
    },
    async publish(options, call) {
      const published = await publishFake(
        {
          registries: cluster,
          findVersionTag: (digest) =>
            versions.versionTag(digest, async () => cluster.contents.get(digest)?.identities ?? []),
          authorize: (reference, action) => authorize(call, { ...imageNameOf(reference), actions: [action] }),
          beforePush,
        },
        options,
        call,
      );
      if (options.dryRun !== true)
        for (const destination of options.destinations) pushedTo.add(registryOf(destination));
      return published;
    },
    async find({ reference, platforms }) {
      const digest = servedDigest(cluster.images, reference);
      if (digest === undefined) return undefined;
      const { platforms: there = [], identities = [] } = cluster.contents.get(digest) ?? {};
      const known = new Set(there.map(({ platform }) => normalizePlatform(platform)));
      const isThere = platforms.every((wanted) => known.has(normalizePlatform(wanted)));
      if (!isThere) return undefined;
      return {
        digest,
        reference: `${repositoryOf(reference)}@${digest}`,
        platforms: there,
        identities: [...identities],
      };
    },
    identify: (request, _call, options) => fakeIdentity(request, options),
    async recordIdentity({ reference, identity }) {
      const content = cluster.contents.get(reference.replace(/^.*@/, ""));
      content?.identities.push(identity);
    },
    async ensurePullable(pullable, call) {
      const { namespace, serviceAccount = "default", images } = pullable;
      for (const registry of new Set(images?.map(pulledRegistryOf) ?? pushedTo))
        await authorize(call, { registry, actions: ["pull"] });
      cluster.pullables.push({ ...pullable, serviceAccount });
      return { secrets: [`${namespace}/${serviceAccount}`], warnings: [] };
    },
    async stop() {
      state = "stopped";
    },
    async remove({ keepState }) {
      state = "inactive";
      if (!keepState) cluster.prune();
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Reports what happens until the build is dead, or until `gone` settles before. */
async function followToItsEnd(
  remote: FakeRemoteBuild,
  call: DriverCall,
  gone: Promise<DriverBuildResult>,
  onAbort: () => void,
): Promise<DriverBuildResult> {
  const unfollow = remote.follow(call.emit);
  call.signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([remote.ended, gone]);
  } finally {
    unfollow();
    call.signal.removeEventListener("abort", onAbort);
  }
}

async function dockerfileText({ dockerfileInline, context, dockerfile }: BuildRequest): Promise<string> {
  if (dockerfileInline !== undefined) return dockerfileInline;
  return context.type === "directory" ? readFile(join(context.path, dockerfile), "utf8") : "FROM scratch";
}

function buildIn(cluster: FakeCluster, buildId: string): FakeRemoteBuild {
  const remote = cluster.builds.get(buildId);
  if (remote !== undefined) return remote;
  throw new BuilderError({
    code: "BUILD_NOT_FOUND",
    message: `No build has the id ${buildId}. List them with builds().`,
    details: { buildId },
  });
}
