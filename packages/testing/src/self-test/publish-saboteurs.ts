import { repositoryOf } from "@slipway/core";
import type { DriverCall, DriverMiddleware, PublishedImage, PublishOptions, PublishResult } from "@slipway/core";

import type { FakeCluster } from "../fake-cluster.ts";
import { otherPlatform } from "../requirements/platforms.ts";
import { deaf } from "./saboteur.ts";
import type { Saboteur } from "./saboteur.ts";

/** What can be wrong with how images are published. */
export const publishSaboteurs: readonly Saboteur[] = [
  {
    name: "publishes under no tag",
    requirement: "publish",
    sabotage: (cluster) =>
      publishing(async (next, options, call) => {
        // With fewer platforms, elsewhere and with a gate it does as it should: that is what other requirements are about.
        const isPlain = isWhole(options) && options.beforeTag === undefined;
        if (!isPlain || isElsewhere(options)) return next(options, call);
        const putBack = rememberTags(cluster, options.destinations);
        const published = await next(options, call);
        putBack();
        return published;
      }),
  },
  {
    name: "names what it has published by its tags",
    requirement: "publish-references",
    sabotage: () =>
      publishing(async (next, options, call) => ({ ...(await next(options, call)), references: options.destinations })),
  },
  {
    name: "names tags to beforeTag",
    requirement: "publish-references",
    sabotage: () =>
      withGate((gate, options) => (image, call) => {
        if (!isWhole(options)) return gate(image, call);
        return gate({ ...image, references: options.destinations }, call);
      }),
  },
  {
    name: "asks beforeTag twice",
    requirement: "publish-references",
    sabotage: () =>
      withGate((gate, options) => async (image, call) => {
        await gate(image, call);
        if (isWhole(options)) await gate(image, call);
      }),
  },
  {
    name: "moves the tag before it asks",
    requirement: "publish-gate",
    sabotage: (cluster) =>
      withGate((gate, { destinations }) => async (image, call) => {
        const putBack = rememberTags(cluster, destinations);
        for (const destination of destinations) cluster.images.set(destination, image.digest);
        await gate(image, call);
        if (call.signal.aborted) putBack();
      }),
  },
  {
    name: "goes on when it is aborted",
    requirement: "publish-abort",
    sabotage: () => publishing((next, options, call) => next(options, { ...call, signal: deaf })),
  },
  {
    name: "says that it was aborted, and moves the tag",
    requirement: "publish-abort",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const published = await next(options, { ...call, signal: deaf });
        call.signal.throwIfAborted();
        return published;
      }),
  },
  {
    name: "moves tags in a dry run",
    requirement: "publish-dry-run",
    sabotage: () =>
      publishing((next, options, call) => {
        const { dryRun, beforeTag: _beforeTag, ...others } = options;
        return next(dryRun === true ? others : options, call);
      }),
  },
  {
    name: "asks beforeTag in a dry run",
    requirement: "publish-dry-run",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const published = await next(options, call);
        if (options.dryRun === true)
          await options.beforeTag?.({ ...published, unchanged: [], failed: [], platforms: [] }, call);
        return published;
      }),
  },
  {
    name: "puts images under their digests in another repository in a dry run",
    requirement: "publish-dry-run",
    sabotage: (cluster) => leavingDigests(cluster, (options) => options.dryRun === true && isElsewhere(options)),
  },
  {
    name: "puts images with fewer platforms under their digests in a dry run",
    requirement: "publish-dry-run",
    sabotage: (cluster) => leavingDigests(cluster, (options) => options.dryRun === true && !isWhole(options)),
  },
  {
    name: "gives images another tag instead of copying them",
    requirement: "publish-elsewhere",
    sabotage: (cluster) =>
      publishing(async (next, options, call) => {
        const published = await next(options, call);
        if (isElsewhere(options)) for (const reference of published.references) cluster.images.delete(reference);
        return published;
      }),
  },
  {
    name: "leaves tags in other repositories as they are",
    requirement: "publish-elsewhere",
    sabotage: (cluster) =>
      publishing(async (next, options, call) => {
        const putBack = rememberTags(cluster, options.destinations);
        const published = await next(options, call);
        if (isElsewhere(options)) putBack();
        return published;
      }),
  },
  {
    name: "says that no repository has its tags already",
    requirement: "publish-unchanged",
    sabotage: () => withGate((gate) => (image, call) => gate({ ...image, unchanged: [] }, call)),
  },
  {
    name: "asks about tags that stay where they are",
    requirement: "publish-unchanged",
    sabotage: () =>
      withGate((gate) => (image, call) => {
        const { references, unchanged } = image;
        return gate({ ...image, references: [...unchanged, ...references] }, call);
      }),
  },
  {
    name: "sends everything again",
    requirement: "publish-again",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const { sentBytes, skippedBytes, ...published } = await next(options, call);
        return { ...published, sentBytes: sentBytes + skippedBytes, skippedBytes: 0 };
      }),
  },
  {
    name: "mounts everything again",
    requirement: "publish-again",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const { mountedBytes, skippedBytes, ...published } = await next(options, call);
        return { ...published, mountedBytes: mountedBytes + skippedBytes, skippedBytes };
      }),
  },
  {
    name: "does not count what is there",
    requirement: "publish-again",
    sabotage: () => publishing(async (next, options, call) => ({ ...(await next(options, call)), skippedBytes: 0 })),
  },
  {
    name: "asks beforeTag about nothing",
    requirement: "publish-again",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const { beforeTag } = options;
        if (beforeTag === undefined || options.dryRun === true) return next(options, call);
        const asked: PublishedImage[] = [];
        const noted: Gate = (image, gateCall) => {
          asked.push(image);
          return beforeTag(image, gateCall);
        };
        const published = await next({ ...options, beforeTag: noted }, call);
        const { digest, references: unchanged } = published;
        if (asked.length === 0) await beforeTag({ digest, references: [], unchanged, failed: [], platforms: [] }, call);
        return published;
      }),
  },
  {
    name: "publishes all platforms",
    requirement: "publish-platforms",
    sabotage: () =>
      publishing(async (next, options, call) => {
        const { platforms, ...others } = options;
        // That they are there is checked all the same.
        if (platforms !== undefined) await next({ ...options, dryRun: true }, call);
        return next(others, call);
      }),
  },
  {
    name: "says that all platforms are there",
    requirement: "publish-platforms",
    sabotage: (cluster) =>
      withGate((gate, { source }) => (image, call) => {
        const { platforms = [] } = cluster.contents.get(cluster.images.get(source) ?? "") ?? {};
        return gate({ ...image, platforms }, call);
      }),
  },
  {
    name: "asks beforeTag before the image is there",
    requirement: "publish-platforms",
    sabotage: (cluster) =>
      withGate((gate) => async (image, call) => {
        for (const reference of image.references) cluster.images.delete(reference);
        try {
          await gate(image, call);
        } finally {
          for (const reference of image.references) cluster.images.set(reference, image.digest);
        }
      }),
  },
  {
    name: "publishes what there is when a platform is missing",
    requirement: "publish-missing-platform",
    sabotage: () =>
      publishing((next, options, call) => {
        const { platforms = [], ...others } = options;
        return next(platforms.includes(otherPlatform) ? others : options, call);
      }),
  },
  {
    name: "leaves the image under its digest when a platform is missing",
    requirement: "publish-missing-platform",
    sabotage: ({ images }) =>
      publishing((next, options, call) => {
        const digest = images.get(options.source);
        if (digest !== undefined && options.platforms?.includes(otherPlatform) === true)
          for (const destination of options.destinations) images.set(`${repositoryOf(destination)}@${digest}`, digest);
        return next(options, call);
      }),
  },
];

type Publish = (options: PublishOptions, call: DriverCall) => Promise<PublishResult>;
type Gate = NonNullable<PublishOptions["beforeTag"]>;

/** Publishes in another way. */
function publishing(
  change: (next: Publish, options: PublishOptions, call: DriverCall) => Promise<PublishResult>,
): DriverMiddleware {
  return (driver) => {
    const next: Publish = async (options, call) => {
      if (driver.publish === undefined) throw new Error("There is no publish");
      return driver.publish(options, call);
    };
    return { publish: (options, call) => change(next, options, call) };
  };
}

/** Calls something else than `beforeTag`, if there is one. */
function withGate(change: (gate: Gate, options: PublishOptions) => Gate): DriverMiddleware {
  return publishing((next, options, call) => {
    const { beforeTag } = options;
    return next(beforeTag === undefined ? options : { ...options, beforeTag: change(beforeTag, options) }, call);
  });
}

/** One destination gets all platforms. */
function isWhole({ destinations, platforms }: PublishOptions): boolean {
  return platforms === undefined && destinations.length === 1;
}

/** No destination is in the repository of the source. */
function isElsewhere({ source, destinations }: PublishOptions): boolean {
  return destinations.every((destination) => repositoryOf(destination) !== repositoryOf(source));
}

/** Puts what it names under its digest, whatever else is done. */
function leavingDigests({ images }: FakeCluster, where: (options: PublishOptions) => boolean): DriverMiddleware {
  return publishing(async (next, options, call) => {
    const published = await next(options, call);
    if (where(options)) for (const reference of published.references) images.set(reference, published.digest);
    return published;
  });
}

/** What tags stand for now. @returns puts them back */
function rememberTags({ images }: FakeCluster, tags: readonly string[]): () => void {
  const before = tags.map((tag) => [tag, images.get(tag)] as const);
  return () => {
    for (const [tag, digest] of before)
      if (digest === undefined) images.delete(tag);
      else images.set(tag, digest);
  };
}
