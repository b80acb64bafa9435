import {
  BuilderError,
  buildOptionsSchema,
  parseOptions,
  type BuildOptions,
  type DriverCall,
  type DriverEvent,
} from "@slipway/core";
import { computeDigest } from "@slipway/registry-client";
import { describe, expect, it } from "vitest";

import { foldBuild } from "./build-plan.ts";
import { buildPlatforms, type BuildOne } from "./build-platforms.ts";
import { executorArguments } from "./executor-arguments.ts";
import { resolveKanikoDriverOptions } from "./kaniko-options.ts";
import type { ClientOf } from "./verify-pushed.ts";

const platforms = ["linux/amd64", "linux/arm64"];
const tags = ["registry.example.com/team/api:v1", "registry.example.com/team/api:latest", "other.example.com/api:v1"];
const digestOf = (platform: string) => computeDigest(Buffer.from(platform));

function setUp(outputs?: BuildOptions["outputs"]) {
  const options = { context: ".", dockerfileInline: "FROM scratch\n", tags, platforms, outputs };
  const request = { ...parseOptions(buildOptionsSchema, options, "test"), id: "7", name: "api", kaniko: {} };
  const folded = foldBuild(request, resolveKanikoDriverOptions({}));
  const events: DriverEvent[] = [];
  const stop = new AbortController();
  const emit = (event: DriverEvent) => void events.push(event);
  const silent = () => undefined;
  const call: DriverCall = {
    ...{ signal: stop.signal, emit, credentials: { resolve: () => Promise.resolve([]) } },
    logger: { debug: silent, info: silent, warn: silent, error: silent },
  };
  const served = new Map<string, string>();
  const indexes: string[] = [];
  const client: ReturnType<ClientOf> = {
    headManifest: (reference) => {
      const digest = typeof reference === "string" ? served.get(reference) : reference.digest;
      return Promise.resolve(digest === undefined ? undefined : { digest, mediaType: "m", sizeBytes: 1 });
    },
    putManifest: (reference, { bytes }) => {
      const digest = computeDigest(bytes);
      served.set(reference as string, digest);
      indexes.push(Buffer.from(bytes).toString());
      return Promise.resolve({ digest });
    },
    deleteManifest: (reference) => Promise.resolve(served.delete(reference as string)),
  };
  const clientOf: ClientOf = () => client;
  const registriesWithoutPod = () =>
    Promise.resolve({ client: clientOf, [Symbol.asyncDispose]: () => Promise.resolve() });
  return { registriesWithoutPod, folded, call, events, served, indexes, stop, clientOf };
}

describe("several platforms", () => {
  it("push to tags of their own, which an index under the tags of the build takes the place of", async () => {
    const { folded, call, events, served, indexes, clientOf, registriesWithoutPod } = setUp();
    const pushed: string[] = [];
    const buildOne: BuildOne = async ({ request }, { emit }, onPushed) => {
      const [platform = ""] = request.platforms;
      for (const tag of request.tags) {
        served.set(tag, digestOf(platform));
        pushed.push(tag);
      }
      emit({ type: "step-start", step: "1", name: "RUN make" });
      await onPushed?.({ digest: digestOf(platform), clientOf });
      return digestOf(platform);
    };
    const { digest, platforms: built } = await buildPlatforms(folded, call, { buildOne, registriesWithoutPod });
    expect(pushed.sort()).toEqual([
      "other.example.com/api:slipway-7-linux-amd64",
      "other.example.com/api:slipway-7-linux-arm64",
      "registry.example.com/team/api:slipway-7-linux-amd64",
      "registry.example.com/team/api:slipway-7-linux-arm64",
    ]);
    expect([...served]).toEqual(tags.map((tag) => [tag, digest]));
    expect(built).toEqual(platforms.map((platform) => ({ platform, digest: digestOf(platform) })));
    for (const platform of platforms) expect(indexes[0]).toContain(digestOf(platform));
    expect(events.flatMap((event) => (event.type === "step-start" ? [[event.step, event.platform]] : []))).toEqual([
      ["linux/amd64 1", "linux/amd64"],
      ["linux/arm64 1", "linux/arm64"],
    ]);
  });

  it("keep layers beside the first tag when nothing is pushed, and leave the tags of the build as they are", async () => {
    const { folded, call, served, indexes, clientOf, registriesWithoutPod } = setUp([{ type: "cache-only" }]);
    for (const tag of tags) served.set(tag, "sha256:of-before");
    const parts: (readonly string[])[] = [];
    const buildOne: BuildOne = async (part, { emit }, onPushed) => {
      const [platform = ""] = part.request.platforms;
      parts.push(executorArguments(part.request, part));
      emit({ type: "pod-phase", pod: platform, phase: "running" });
      await onPushed?.({ digest: digestOf(platform), clientOf });
      return digestOf(platform);
    };
    const { digest, platforms: built } = await buildPlatforms(folded, call, { buildOne, registriesWithoutPod });
    expect(parts).toHaveLength(2);
    for (const part of parts) {
      expect(part).toEqual(
        expect.arrayContaining(["--no-push", "--cache=true", "--cache-repo=registry.example.com/team/api/cache"]),
      );
    }
    expect(digest).toBeUndefined();
    expect(built).toEqual(platforms.map((platform) => ({ platform, digest: digestOf(platform) })));
    expect(indexes).toEqual([]);
    expect([...served]).toEqual(tags.map((tag) => [tag, "sha256:of-before"]));
  });

  it("leave the tags of the build as they are when nothing is pushed and one fails", async () => {
    const { folded, call, served, registriesWithoutPod } = setUp([{ type: "cache-only" }]);
    for (const tag of tags) served.set(tag, "sha256:of-before");
    const failure = new Error("No node.");
    const buildOne: BuildOne = ({ request }, { signal, emit }) => {
      emit({ type: "pod-phase", pod: request.platforms[0] ?? "", phase: "running" });
      if (request.platforms[0] === "linux/arm64") return Promise.reject(failure);
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    };
    await expect(buildPlatforms(folded, call, { buildOne, registriesWithoutPod })).rejects.toBe(failure);
    expect([...served.keys()]).toEqual(tags);
  });

  it("end with the first that fails: the others are stopped, their tags are taken away, and no tag has moved", async () => {
    const { folded, call, served, clientOf, registriesWithoutPod } = setUp();
    const failure = new BuilderError({
      ...{ code: "BUILD_FAILED", message: "No.", details: { exitCode: 1, logTail: "" } },
    });
    let stopped: AbortSignal | undefined;
    const started = Promise.withResolvers<undefined>();
    const buildOne: BuildOne = async ({ request }, { signal }, onPushed) => {
      if (request.platforms[0] === "linux/arm64") {
        await started.promise;
        throw failure;
      }
      stopped = signal;
      for (const tag of request.tags) served.set(tag, digestOf("linux/amd64"));
      started.resolve(undefined);
      await onPushed?.({ digest: digestOf("linux/amd64"), clientOf });
      return "";
    };
    await expect(buildPlatforms(folded, call, { buildOne, registriesWithoutPod })).rejects.toBe(failure);
    expect(stopped?.aborted).toBe(true);
    expect([...served]).toEqual([]);
  });

  it("leave no tag of what was stopped between its push and its end", async () => {
    const { folded, call, served, registriesWithoutPod } = setUp();
    const failure = new Error("No node.");
    const pushed = Promise.withResolvers<undefined>();
    const buildOne: BuildOne = async ({ request }, { signal, emit }) => {
      emit({ type: "pod-phase", pod: "a", phase: "running" });
      if (request.platforms[0] === "linux/arm64") {
        await pushed.promise;
        throw failure;
      }
      for (const tag of request.tags) served.set(tag, digestOf("linux/amd64"));
      pushed.resolve(undefined);
      return new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    };
    await expect(buildPlatforms(folded, call, { buildOne, registriesWithoutPod })).rejects.toBe(failure);
    expect([...served]).toEqual([]);
  });

  it("end with the reason of the caller when it stops them", async () => {
    const { folded, call, stop, registriesWithoutPod } = setUp();
    const reason = new Error("left");
    const buildOne: BuildOne = (_folded, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("stopped")));
      });
    const built = buildPlatforms(folded, call, { buildOne, registriesWithoutPod });
    stop.abort(reason);
    await expect(built).rejects.toBe(reason);
  });

  it("say which tag a registry does not let go", async () => {
    const { folded, call, events, served, clientOf, registriesWithoutPod } = setUp();
    const refused = new BuilderError({
      ...{
        code: "REGISTRY_REFUSED",
        message: "No.",
        details: { registry: "r", diagnostics: [], triedCredentials: [] },
      },
    });
    const keeping: ClientOf = (registry) => ({
      ...clientOf(registry),
      deleteManifest: () => Promise.reject(refused),
    });
    const buildOne: BuildOne = async ({ request }, _call, onPushed) => {
      for (const tag of request.tags) served.set(tag, digestOf(request.platforms[0] ?? ""));
      await onPushed?.({ digest: digestOf(request.platforms[0] ?? ""), clientOf: keeping });
      return "";
    };
    const { digest } = await buildPlatforms(folded, call, { buildOne, registriesWithoutPod });
    expect(served.get(tags[0] ?? "")).toBe(digest);
    const warnings = events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
    expect(warnings).toHaveLength(4);
    expect(warnings[0]).toMatch(/slipway-7-linux-\w+.*REGISTRY_REFUSED/);
  });
});
