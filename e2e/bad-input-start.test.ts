import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import type { Deployment, Node } from "@slipway/cluster";
import { createBuilder, type BuildResult } from "slipway";
import { buildkitDriver, type BuildkitDriverOptions } from "slipway/buildkit";
import { describe, expect, it } from "vitest";

import { builderObjects, expectBuilderObjects, noBuilder } from "./bad-input/builder-objects.ts";
import { expectFailure, type ExpectedFailure } from "./bad-input/expected-failure.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { observeBuild } from "./support/observed-build.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

/** A builder that cannot start. */
interface StartCase extends ExpectedFailure {
  readonly title: string;
  readonly options: (namespace: TestNamespace) => BuildkitDriverOptions;
  /** From the call to the error. */
  readonly withinMs: number;
}

const cases: readonly StartCase[] = [
  {
    title: "image that the registry does not have",
    options: ({ testCluster }) => ({ image: `${testCluster.registry.nodeHost}/no/such-image:1` }),
    withinMs: 15_000,
    code: "IMAGE_PULL_FAILED",
    message: [/cannot pull the image .*no\/such-image:1/, /not found/, /Check the name of the image/],
  },
  {
    title: "image with an invalid name",
    options: () => ({ image: "Not A Name" }),
    withinMs: 15_000,
    code: "IMAGE_PULL_FAILED",
    message: [/InvalidImageName/, /Check the name of the image/],
    details: { image: "Not A Name" },
  },
  {
    title: "image whose registry does not answer",
    options: () => ({ image: "127.0.0.1:9/no/registry:1" }),
    withinMs: 40_000,
    code: "IMAGE_PULL_FAILED",
    message: [/127\.0\.0\.1:9\/no\/registry:1/, /refused/, /registry can be reached from the nodes/],
  },
  {
    title: "pod that no node can take",
    options: () => ({ podTemplate: { spec: { nodeSelector: { "slipway.dev/no-such": "node" } } } }),
    withinMs: 15_000,
    code: "UNSCHEDULABLE",
    message: [
      /has no node/,
      /didn't match Pod's node affinity\/selector/,
      /correct node selector/,
      /unschedulableGraceMs/,
    ],
  },
  {
    title: "requests that no node has",
    options: () => ({ resources: { requests: { memory: "100Ti" } } }),
    withinMs: 15_000,
    code: "UNSCHEDULABLE",
    message: [/Insufficient memory/, /Lower its requests/],
  },
  {
    title: "secret that does not exist",
    options: () => ({
      podTemplate: {
        spec: { containers: [{ name: "buildkitd", envFrom: [{ secretRef: { name: "no-such-secret" } }] }] },
      },
    }),
    withinMs: 15_000,
    code: "INVALID_OPTIONS",
    message: [/secret "no-such-secret" not found/, /Create what it names/],
  },
  {
    title: "pod template that the API server refuses",
    options: () => ({ podTemplate: { spec: { containers: [{ name: "buildkitd", imagePullPolicy: "Sometimes" }] } } }),
    withinMs: 15_000,
    code: "INVALID_OPTIONS",
    message: [/Sometimes/, /Correct the options/],
  },
];

describe.concurrent("a builder that cannot start", () => {
  it.for(cases)("BAD-INPUT: $title", async ({ title, options, withinMs, ...expected }) => {
    await using namespace = await createTestNamespace();
    const startedMs = performance.now();
    await expectFailure(title, () => build(namespace, options(namespace)), expected);
    expect(performance.now() - startedMs).toBeLessThan(withinMs);
    await expectBuilderObjects(namespace, noBuilder);
  });

  it.for(["restricted", "baseline"])("BAD-INPUT: Pod Security level %s", async (level) => {
    await using namespace = await createTestNamespace();
    await protect(namespace, level);
    await expectFailure(`Pod Security level ${level}`, () => build(namespace, {}), {
      code: "FORBIDDEN",
      message: [new RegExp(`violates PodSecurity "${level}`), /Use a namespace whose Pod Security level is privileged/],
      details: { verb: "create", resource: "pods", namespace: namespace.name },
    });
    await expectBuilderObjects(namespace, noBuilder);
  });

  it("BAD-INPUT: a Deployment of that name that somebody else made stays as it is", async () => {
    await using namespace = await createTestNamespace();
    const foreign = await createForeignDeployment(namespace, "slipway");
    await expectFailure("foreign Deployment", () => build(namespace, {}), {
      code: "INVALID_OPTIONS",
      message: [new RegExp(`Deployment ${namespace.name}/slipway is not a Slipway builder`), /Choose another name/],
    });
    const now = await namespace.cluster.get<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", name: "slipway" });
    expect(now?.metadata).toMatchObject({ uid: foreign.metadata?.uid, generation: 1 });
    expect(now?.spec).toEqual(foreign.spec);
  });

  it("BAD-INPUT: a pod that gets a node within the grace is no error", async () => {
    await using namespace = await createTestNamespace();
    const label = `slipway.dev/e2e-${randomBytes(4).toString("hex")}`;
    const podTemplate = { spec: { nodeSelector: { [label]: "yes" } } };
    const driver = buildkitDriver({ ...namespace.driverOptions, podTemplate, unschedulableGraceMs: 60_000 });
    await using builder = createBuilder({ driver });
    await using context = await createContextFolder(oneStep(namespace));
    const observed = observeBuild(builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }));
    await observed.waitFor("pod-phase", ({ phase }) => phase === "pending");
    // Longer than the default grace.
    await delay(5000);
    await using _ = await labelNode(namespace, label);
    expect(await observed.outcome).toMatchObject({ image: { tags: [`${namespace.repository}:1`] } });
  });
});

describe.concurrent("a builder that is there", () => {
  it("BAD-INPUT: a build that is canceled while it starts the builder does not fail another that waits for it", async () => {
    await using namespace = await createTestNamespace();
    await using context = await createContextFolder(oneStep(namespace));
    await using first = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
    await using second = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
    const request = { context: context.path, tags: [`${namespace.repository}:1`] };
    const starting = observeBuild(first.build(request));
    await starting.waitFor("pod-phase", ({ phase }) => phase !== "running");
    const waiting = observeBuild(second.build(request));
    await waiting.waitFor("pod-phase");
    await first.close();
    expect(await starting.outcome).toMatchObject({ code: "ABORTED" });
    expect(await waiting.outcome).toMatchObject({ image: { tags: request.tags } });
  });

  it.for([
    { title: "a changed image that cannot be pulled", code: "IMAGE_PULL_FAILED", options: { image: "Not A Name" } },
    {
      title: "a changed pod that no node can take",
      code: "UNSCHEDULABLE",
      options: { podTemplate: { spec: { nodeSelector: { "slipway.dev/no-such": "node" } } } },
    },
    {
      title: "a changed pod that the API server refuses",
      code: "INVALID_OPTIONS",
      options: { podTemplate: { spec: { containers: [{ name: "buildkitd", imagePullPolicy: "Sometimes" }] } } },
    },
  ] as const)("BAD-INPUT: $title leaves it unchanged", async ({ title, code, options }) => {
    await using namespace = await createTestNamespace();
    const first = await build(namespace, {});
    const before = await builderObjects(namespace);
    expect(before).toMatchObject({ deployments: [{}], pods: [expect.any(String)] });
    await expectFailure(title, () => build(namespace, options), { code, message: [] });
    await expectBuilderObjects(namespace, before);
    const again = await build(namespace, {});
    expect(again.image?.digest).toBe(first.image?.digest);
    expect(again.steps.find(({ name }) => name.includes("RUN"))?.cached).toBe(true);
    expect(await builderObjects(namespace)).toEqual(before);
  });
});

function oneStep({ testCluster }: TestNamespace): Readonly<Record<string, string>> {
  return { Dockerfile: `FROM ${testCluster.bases.busybox}\nRUN true\n` };
}

async function build(namespace: TestNamespace, options: BuildkitDriverOptions): Promise<BuildResult> {
  await using context = await createContextFolder(oneStep(namespace));
  await using builder = createBuilder({ driver: buildkitDriver({ ...namespace.driverOptions, ...options }) });
  return await builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }).result();
}

async function protect({ cluster, name }: TestNamespace, level: string): Promise<void> {
  const labels = { "pod-security.kubernetes.io/enforce": level };
  await cluster.patch({ apiVersion: "v1", kind: "Namespace", name }, { metadata: { labels } });
}

function createForeignDeployment({ cluster, testCluster }: TestNamespace, name: string): Promise<Deployment> {
  const labels = { app: "something-else" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: testCluster.images.pause }] } };
  return cluster.create<Deployment>({
    ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name, labels } },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  });
}

/** Labels one node; disposing takes the label off. */
async function labelNode({ cluster }: TestNamespace, label: string): Promise<AsyncDisposable> {
  const { items } = await cluster.list<Node>({ apiVersion: "v1", kind: "Node" });
  const reference = { apiVersion: "v1", kind: "Node", name: items[0]?.metadata?.name ?? "" };
  await cluster.patch(reference, { metadata: { labels: { [label]: "yes" } } });
  const remove = async (): Promise<void> => {
    await cluster.patch(reference, { metadata: { labels: { [label]: null } } });
  };
  return { [Symbol.asyncDispose]: remove };
}
