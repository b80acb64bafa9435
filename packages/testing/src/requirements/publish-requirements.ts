import assert from "node:assert/strict";

import { repositoryOf } from "@slipway/core";
import type { BuiltImage, OperationCallOptions, PublishedImage, PublishOptions, PublishResult } from "@slipway/core";

import type { ConformanceBench } from "../conformance-bench.ts";
import { otherPlatform, platformsOf } from "./platforms.ts";
import { rejection } from "./requirement.ts";
import type { ConformanceRequirement } from "./requirement.ts";

/** How images get to other places. */
export const publishRequirements: readonly ConformanceRequirement[] = [
  {
    id: "publish",
    rule: "publishes an image under the digest that was built",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination } = await toPublish(bench, "published");
      const published = await publish(bench, image, { destinations: [destination] });
      assert.equal(published.digest, image.digest);
      assert.equal(await bench.harness.resolveDigest(destination), image.digest);
    },
  },
  {
    id: "publish-references",
    rule: "names what it has published repository@digest, in its result and for beforeTag",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination } = await toPublish(bench, "published-references");
      const { asked, beforeTag } = recordedGate();
      const { references } = await publish(bench, image, { destinations: [destination], beforeTag });
      const expected = [`${repositoryOf(destination)}@${image.digest}`];
      assert.deepEqual(references, expected);
      assert.deepEqual(
        asked.map((published) => published.references),
        [expected],
        "beforeTag must be called once, with the same",
      );
    },
  },
  {
    id: "publish-gate",
    rule: "moves no tag when beforeTag refuses: PUBLISH_REFUSED",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination } = await toPublish(bench, "refused");
      const seen: string[] = [];
      const beforeTag = ({ digest }: PublishedImage): never => {
        seen.push(digest);
        throw new Error("the scan found something");
      };
      const publishing = publish(bench, image, { destinations: [destination], beforeTag });
      const error = await rejection(publishing, "PUBLISH_REFUSED");
      assert.match(error.details.reason, /the scan found something/);
      assert.deepEqual(seen, [image.digest]);
      await assertNoTag(bench, destination);
    },
  },
  {
    id: "publish-abort",
    rule: "moves no tag when it is aborted while beforeTag runs: ABORTED",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination } = await toPublish(bench, "aborted");
      const controller = new AbortController();
      // It goes on as if nothing had happened: that the call was aborted is for the driver to notice.
      const beforeTag = () => controller.abort(new Error("the caller has left"));
      const publishing = publish(bench, image, { destinations: [destination], beforeTag }, controller.signal);
      await rejection(publishing, "ABORTED");
      assert.ok(controller.signal.aborted, "beforeTag must be called");
      await assertNoTag(bench, destination);
    },
  },
  {
    id: "publish-dry-run",
    rule: "moves no tag in a dry run, leaves nothing under a digest, and does not call beforeTag",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { harness } = bench;
      const platforms = bench.builder.supports("platforms:many") ? platformsOf(harness) : [];
      const { image, destination, otherDestination } = await toPublish(bench, "dry-run", platforms);
      const { asked, beforeTag } = recordedGate();
      const dryRun = async (to: string, further: Pick<PublishOptions, "platforms"> = {}) => {
        const { digest } = await publish(bench, image, { destinations: [to], beforeTag, dryRun: true, ...further });
        assert.deepEqual(asked, [], "beforeTag must not be called");
        await assertNoTag(bench, to);
        return digest;
      };
      // The build has put it there under its digest, so that only a tag can be left.
      assert.equal(await dryRun(destination), image.digest);
      if (otherDestination !== undefined) {
        assert.equal(await dryRun(otherDestination), image.digest);
        await assertNotThere(bench, otherDestination, image.digest);
      }
      if (platforms.length === 0) return;
      const fewer = await dryRun(destination, { platforms: platforms.slice(0, 1) });
      // A driver that has built or left out no platform fails `platforms-built` or `publish-platforms`.
      if (fewer !== image.digest) await assertNotThere(bench, destination, fewer);
    },
  },
  {
    id: "publish-elsewhere",
    rule: "copies an image to another repository, where it is under its tag and its digest",
    ifAnyOf: ["publish"],
    ifHarnessHas: "otherTag",
    async check(bench) {
      const { harness } = bench;
      const { image, otherDestination } = await toPublishElsewhere(bench, "published-elsewhere");
      const published = await publish(bench, image, { destinations: [otherDestination] });
      assert.equal(published.digest, image.digest);
      assert.equal(await harness.resolveDigest(otherDestination), image.digest);
      const reference = `${repositoryOf(otherDestination)}@${image.digest}`;
      assert.equal(await harness.resolveDigest(reference), image.digest, "It must be there under its digest too");
    },
  },
  {
    id: "publish-unchanged",
    rule: "names to beforeTag the repositories where a tag will move, and apart from them those that have their tags already",
    ifAnyOf: ["publish"],
    ifHarnessHas: "otherTag",
    async check(bench) {
      const { image, destination, otherDestination } = await toPublishElsewhere(bench, "published-unchanged");
      const { asked, beforeTag } = recordedGate();
      await publish(bench, image, { destinations: [destination], beforeTag });
      await publish(bench, image, { destinations: [destination, otherDestination], beforeTag });
      const [unchanged, moving] = [destination, otherDestination].map((tag) => [
        `${repositoryOf(tag)}@${image.digest}`,
      ]);
      // What is wrong where there is one repository fails `publish-references`.
      const last = asked.at(-1);
      assert.deepEqual(last?.unchanged, unchanged, "Where the image is under its tag already");
      assert.deepEqual(last?.references, moving, "Where a tag will move");
    },
  },
  {
    id: "publish-again",
    rule: "sends nothing of an image that is at its destination already, and does not call beforeTag where no tag moves",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination } = await toPublish(bench, "published-again");
      const { asked, beforeTag } = recordedGate();
      await publish(bench, image, { destinations: [destination], beforeTag });
      // What is wrong with these fails `publish-references`.
      asked.length = 0;
      const again = await publish(bench, image, { destinations: [destination], beforeTag });
      assert.deepEqual(asked, [], "No tag would move, so beforeTag must not be called");
      assert.equal(again.digest, image.digest);
      assert.equal(again.sentBytes, 0, "There was nothing to send");
      assert.equal(again.mountedBytes, 0, "There was nothing to mount");
      assert.ok(again.skippedBytes > 0, "What was there must be counted");
    },
  },
  {
    id: "publish-platforms",
    rule: "leaves out the platforms that are not asked for, and asks beforeTag once the rest is there under its digest",
    ifAllOf: ["publish", "platforms:many"],
    async check(bench) {
      const { harness } = bench;
      const platforms = platformsOf(harness);
      const { image, destination } = await toPublish(bench, "published-platform", platforms);
      // A driver that has built no more than that fails `platforms-built`.
      if (image.platforms.length < 2) return;
      const kept = image.platforms.filter(({ platform }) => platform === platforms[0]);
      assert.equal(kept.length, 1, `The image must name its platform ${platforms[0]}`);
      const { asked, beforeTag } = recordedGate();
      const there: (string | undefined)[] = [];
      const { digest } = await publish(bench, image, {
        destinations: [destination],
        platforms: platforms.slice(0, 1),
        async beforeTag(published) {
          beforeTag(published);
          there.push(await harness.resolveDigest(`${repositoryOf(destination)}@${published.digest}`));
        },
      });
      assert.notEqual(digest, image.digest, "An index with less in it has another digest");
      const references = [`${repositoryOf(destination)}@${digest}`];
      assert.deepEqual(asked, [{ digest, references, unchanged: [], failed: [], platforms: kept }]);
      assert.deepEqual(there, [digest], "beforeTag must be called when the image is there under its digest");
      assert.equal(await harness.resolveDigest(destination), digest);
    },
  },
  {
    id: "publish-missing-platform",
    rule: "publishes nothing when the image lacks a platform that is asked for: INVALID_OPTIONS",
    ifAnyOf: ["publish"],
    async check(bench) {
      const { image, destination, otherDestination } = await toPublish(bench, "missing-platform");
      const destinations = otherDestination === undefined ? [destination] : [destination, otherDestination];
      await rejection(publish(bench, image, { destinations, platforms: [otherPlatform] }), "INVALID_OPTIONS");
      for (const tag of destinations) await assertNoTag(bench, tag);
      // In the repository of the source it is there in any case.
      if (otherDestination !== undefined) await assertNotThere(bench, otherDestination, image.digest);
    },
  },
];

interface ToPublish {
  readonly image: BuiltImage;
  readonly destination: string;
  /** In another repository, where the image is not; undefined if the harness has none. */
  readonly otherDestination: string | undefined;
}

/** An image that no registry had before it was built, and tags that nothing has been published to. */
async function toPublish(bench: ConformanceBench, what: string, platforms: readonly string[] = []): Promise<ToPublish> {
  const labels = { "conformance.published": bench.uniqueName(what) };
  const image = await bench.ended((await bench.build("simple", { platforms: [...platforms], labels })).image());
  return { image, destination: bench.tag(what), otherDestination: bench.otherTag(what) };
}

/** For a harness that has another repository. */
async function toPublishElsewhere(bench: ConformanceBench, what: string) {
  const toCopy = await toPublish(bench, what);
  const { otherDestination = assert.fail("The harness has no otherTag") } = toCopy;
  return { ...toCopy, otherDestination };
}

function publish(
  bench: ConformanceBench,
  image: BuiltImage,
  options: Omit<PublishOptions, "source">,
  signal?: AbortSignal,
): Promise<PublishResult> {
  const call: OperationCallOptions = signal === undefined ? {} : { signal };
  const publishing = bench.builder.publish?.({ source: image.tags[0] ?? "", ...options }, call);
  return bench.ended(publishing ?? assert.fail("There is no publish"));
}

/** A `beforeTag` that lets everything through, and what it was asked about. */
function recordedGate() {
  const asked: PublishedImage[] = [];
  return { asked, beforeTag: (image: PublishedImage) => void asked.push(image) };
}

async function assertNoTag(bench: ConformanceBench, destination: string): Promise<void> {
  assert.equal(await bench.harness.resolveDigest(destination), undefined, "The tag is there");
}

async function assertNotThere(bench: ConformanceBench, destination: string, digest: string): Promise<void> {
  const there = await bench.harness.resolveDigest(`${repositoryOf(destination)}@${digest}`);
  assert.equal(there, undefined, "The image is there under its digest");
}
