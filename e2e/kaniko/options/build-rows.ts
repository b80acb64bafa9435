import type { BuildOptions } from "slipway";
import { expect } from "vitest";

import { says } from "./option-builds.ts";
import type { OptionRows } from "./option-row.ts";

const refused = "refused before anything starts, with the reason";

/** The options of a build: each key of its schema. */
export const buildRows: OptionRows<keyof BuildOptions> = {
  name: {
    shows: "the first event",
    check: async (builds) => {
      const [queued] = (await builds.options()).build.events;
      expect(queued).toMatchObject({ type: "build-queue", name: "my build" });
    },
  },
  context: {
    shows: "how many files were sent",
    check: async (builds) => expect((await builds.options()).result.context.files).toBe(4),
  },
  contexts: {
    shows: refused,
    check: (builds) => builds.refusal({ contexts: { other: "." } }, "contexts", /one context/),
  },
  dockerfile: {
    shows: "what its steps print",
    check: async (builds) => expect((await builds.options()).output).toBe("of two words\n"),
  },
  dockerfileInline: {
    shows: "what its steps print",
    check: async (builds) => expect((await builds.inline()).output).toBe("inline\n"),
  },
  target: {
    shows: "the steps that ran",
    check: async (builds) =>
      expect((await builds.options()).result.steps.some(({ name }) => name === "RUN exit 9")).toBe(false),
  },
  buildArgs: {
    shows: "the configuration of the image in the registry",
    check: async (builds) =>
      expect((await builds.trials.configOf((await builds.options()).result)).config.Env).toContain("A=two words"),
  },
  labels: {
    shows: "the configuration of the image in the registry",
    check: async (builds) =>
      expect((await builds.trials.configOf((await builds.options()).result)).config.Labels).toEqual({ l: "m" }),
  },
  annotations: {
    shows: refused,
    check: (builds) => builds.refusal({ annotations: { a: "b" } }, "annotations", /one manifest/),
  },
  tags: {
    shows: "what the registry serves under each",
    check: async (builds) => {
      const { image } = (await builds.options()).result;
      for (const tag of image?.tags ?? []) expect(await builds.kaniko.resolveDigest(tag)).toBe(image?.digest);
      expect(image?.tags).toHaveLength(2);
    },
  },
  platforms: {
    shows: "the live node selector and the configuration of the image in the registry",
    check: async (builds) => {
      const { pod, result } = await builds.options();
      expect(pod.spec?.nodeSelector).toMatchObject({ "kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux" });
      expect(result.image?.platforms).toMatchObject([{ platform: "linux/amd64" }]);
      expect(await builds.trials.configOf(result)).toMatchObject({ os: "linux", architecture: "amd64" });
    },
  },
  secrets: {
    shows: refused,
    check: (builds) => builds.refusal({ secrets: { token: { value: "x" } } }, "secrets", /additionalMounts/),
  },
  ssh: { shows: refused, check: (builds) => builds.refusal({ ssh: { default: {} } }, "ssh", /RUN --mount/) },
  cacheFrom: {
    shows: refused,
    check: (builds) => builds.refusal({ cacheFrom: ["r.example.com/a:b"] }, "cacheFrom:registry", /cache\.repository/),
  },
  cacheTo: {
    shows: refused,
    check: (builds) => builds.refusal({ cacheTo: ["r.example.com/a:b"] }, "cacheTo:registry", /cache\.repository/),
  },
  noCache: {
    shows: "whether a step comes from the cache",
    check: async (builds) => expect(await builds.cached()).toMatchObject({ second: true, unwanted: false }),
  },
  pull: {
    shows: "the arguments of the live executor: no folder of base images that may be old, though one was given",
    check: async (builds) => {
      const args = (await builds.options()).pod.spec?.containers[0]?.args ?? [];
      expect(args.filter((argument) => argument.startsWith("--cache-dir"))).toEqual([]);
      expect(await builds.arguments()).toContain("--cache-dir=/base-images");
      expect(says(await builds.options(), /^Retrieving image .* from registry/)).toBe(true);
    },
  },
  outputs: {
    shows: "the image in the registry; files of an image are refused, with the reason",
    check: async (builds) => {
      expect((await builds.options()).result.image?.reference).toMatch(/@sha256:/);
      await builds.refusal({ outputs: [{ type: "local", directory: "out" }] }, "outputs:local", /writes images/);
    },
  },
  preflight: {
    shows:
      "at a registry that refuses: the error before there is a pod, and without the question only from the executor",
    check: async (builds) => {
      const { asked, unasked } = await builds.refused();
      for (const { outcome } of [asked, unasked]) expect(outcome).toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
      expect(asked.phases).toEqual([]);
      expect(unasked.phases).toContain("failed");
    },
  },
  createRepository: {
    shows: "at a registry that makes no repository by itself: whether one is asked for",
    check: async (builds) => {
      const { wanted, unwanted } = await builds.missing();
      for (const error of [wanted, unwanted]) expect(error).toMatchObject({ code: "REPOSITORY_NOT_FOUND" });
      expect(wanted.message).toMatch(
        /^Cannot create the repository .*: only repositories of Amazon ECR can be created/,
      );
      expect(unwanted.message).toMatch(/has no such repository/);
    },
  },
  skipIfPresent: {
    shows: "that a build of the same has no pod",
    check: async (builds) => {
      const [first, again] = await builds.skipped();
      expect(first?.result.pods).toHaveLength(1);
      expect(again?.result.pods).toEqual([]);
      expect(again?.result.image?.digest).toBe(first?.result.image?.digest);
    },
  },
  supersedes: {
    shows: "that the build before is cancelled, its pod is gone, and the later one has built",
    check: async (builds) => {
      const { earlier, later } = await builds.superseded();
      expect(earlier).toMatchObject({ code: "ABORTED" });
      expect(later.image?.digest).toBe(await builds.kaniko.resolveDigest(`${builds.repository}/superseded:1`));
    },
  },
  network: {
    shows: refused,
    check: (builds) => builds.refusal({ network: "host" }, "network", /the pod itself, whose network/),
  },
  addHosts: {
    shows: refused,
    check: (builds) => builds.refusal({ addHosts: { "a.test": "192.0.2.1" } }, "addHosts", /hostAliases/),
  },
  shmSizeBytes: {
    shows: refused,
    check: (builds) => builds.refusal({ shmSizeBytes: 1_048_576 }, "shmSizeBytes", /\/dev\/shm/),
  },
  ulimits: {
    shows: refused,
    check: (builds) => builds.refusal({ ulimits: { nofile: { soft: 1, hard: 1 } } }, "ulimits", /podTemplate/),
  },
  provenance: { shows: refused, check: (builds) => builds.refusal({ provenance: true }, "provenance", /one manifest/) },
  sbom: { shows: refused, check: (builds) => builds.refusal({ sbom: true }, "sbom", /one manifest/) },
};
