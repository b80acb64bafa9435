import type { Node } from "@slipway/cluster";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createKanikoNamespace } from "./kaniko-namespace.ts";
import { KanikoTrials } from "./kaniko-trial.ts";

const kaniko = await createKanikoNamespace();
const trials = new KanikoTrials(kaniko);
const { cluster, repository, testCluster } = kaniko.namespace;
const architecture = "kubernetes.io/arch";
const [, otherNode = ""] = testCluster.nodes;
const node = { apiVersion: "v1", kind: "Node", name: otherNode };

/** No step runs, so that any node can stand in for one of the other architecture. */
const dockerfile = "FROM scratch\nCOPY file /file\n";
const files = { file: "content" };
const tags = ["v1", "latest"].map((tag) => `${repository}/platforms:${tag}`);

let realArchitecture: string | undefined;

beforeAll(async () => {
  realArchitecture = (await cluster.get<Node>(node))?.metadata?.labels?.[architecture];
  await cluster.patch(node, { metadata: { labels: { [architecture]: "arm64" } } });
});
afterAll(async () => {
  await cluster.patch(node, { metadata: { labels: { [architecture]: realArchitecture } } });
  await kaniko[Symbol.asyncDispose]();
});

const [, registry = "", path = ""] = /^([^/]+)\/(.*)$/.exec(`${repository}/platforms`) ?? [];

async function served<Content>(what: string): Promise<Content> {
  return JSON.parse(String(await kaniko.registryContent(registry, `${path}/${what}`))) as Content;
}

async function servedTags(): Promise<readonly string[]> {
  return (await served<{ tags: string[] | null }>("tags/list")).tags ?? [];
}

describe("several platforms", () => {
  test("OPT-build.platforms:many: a pod on a node of each architecture, and an index of both under every tag", async () => {
    const build = { platforms: ["linux/amd64", "linux/arm64"], tags };
    const { result, build: observed } = await trials.succeed(dockerfile, { build, files });
    const { image } = result;
    expect(image?.platforms.map(({ platform }) => platform)).toEqual(build.platforms);
    expect(result.pods).toHaveLength(2);
    for (const tag of tags) expect(await kaniko.resolveDigest(tag)).toBe(image?.digest);
    const index = await served<{ manifests: { digest: string; platform: object }[] }>(`manifests/${image?.digest}`);
    expect(index.manifests.map(({ digest, platform }) => ({ digest, platform }))).toEqual([
      { digest: image?.platforms[0]?.digest, platform: { os: "linux", architecture: "amd64" } },
      { digest: image?.platforms[1]?.digest, platform: { os: "linux", architecture: "arm64" } },
    ]);
    for (const { platform, digest } of image?.platforms ?? []) {
      const { config } = await served<{ config: { digest: string } }>(`manifests/${digest}`);
      const { os, architecture: built } = await served<{ os: string; architecture: string }>(`blobs/${config.digest}`);
      expect(`${os}/${built}`).toBe(platform);
    }
    const nodes = observed.events.flatMap((event) =>
      event.type === "pod-phase" && event.phase === "running" ? [event.node] : [],
    );
    expect([...nodes].sort()).toEqual([...testCluster.nodes].sort());
    expect((await servedTags()).toSorted()).toEqual(["latest", "v1"]);
    const copies = result.steps.filter(({ name }) => name.startsWith("COPY"));
    expect(copies.map(({ platform }) => platform).sort()).toEqual(build.platforms);
  });

  test("UNSCHEDULABLE: a platform without a node is named within 15 s, the others end, and no tag moves", async () => {
    const startedMs = performance.now();
    const build = { platforms: ["linux/amd64", "linux/s390x"], tags: [`${repository}/platforms:v2`] };
    const error = await trials.fail(dockerfile, { build, files });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(error).toMatchObject({ code: "UNSCHEDULABLE", retryable: false });
    expect(error.message).toMatch(/No node builds for linux\/s390x/);
    expect((await servedTags()).filter((tag) => tag === "v2" || tag.startsWith("slipway-"))).toEqual([]);
  });

  test("leave no tag behind when one of them fails after another has pushed", async () => {
    // Enough for the first platform to push, on all but the slowest machines.
    const driver = { unschedulableGraceMs: 9000 };
    const build = { platforms: ["linux/amd64", "linux/s390x"], tags: [`${repository}/platforms:v3`] };
    expect(await trials.fail(dockerfile, { build, driver, files })).toMatchObject({ code: "UNSCHEDULABLE" });
    expect((await servedTags()).filter((tag) => tag === "v3" || tag.startsWith("slipway-"))).toEqual([]);
  });
});
