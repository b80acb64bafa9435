import { expect, test, vi } from "vitest";
import * as z from "zod/mini";

import type { BuildEvent, DriverEvent } from "./build-event.ts";
import type { BuildRun } from "./build-run.ts";
import { createBuilder } from "./builder.ts";
import type { BuilderDriver, DriverCall } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import { contextFolder, someDigest, stubDriver, untilAborted } from "./self-test/stub-driver.ts";

const options = { context: contextFolder(), tags: ["registry.example.com/team/api:v1"] };

function podLost(): BuilderError<"POD_LOST"> {
  return new BuilderError({ code: "POD_LOST", message: "Lost.", details: { namespace: "builds", events: [] } });
}

async function typesOf(run: BuildRun): Promise<string[]> {
  const types: string[] = [];
  try {
    for await (const event of run) types.push(event.type);
  } catch {
    types.push("thrown");
  }
  return types;
}

const codeOf = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => BuilderError.from(error).code);

test("completes the result from the request and the events", async () => {
  const build: BuilderDriver["build"] = async (_, { emit }) => {
    emit({ type: "pod-phase", pod: "builder-0", phase: "running", timeMs: 900 });
    emit({ type: "context-progress", context: "context", files: 3, sentFiles: 2, totalBytes: 30, sentBytes: 20 });
    emit({ type: "step-start", step: "1", name: "RUN make", platform: "linux/amd64", timeMs: 1_000 });
    emit({ type: "step-end", step: "1", cached: true, timeMs: 1_250 });
    return { digest: someDigest, metadata: { "stub.key": "value" } };
  };
  const run = createBuilder({ driver: stubDriver({ build }) }).build({ ...options, platforms: ["linux/amd64"] });
  expect(await run.result()).toEqual({
    buildId: run.id,
    image: {
      digest: someDigest,
      reference: `registry.example.com/team/api@${someDigest}`,
      tags: options.tags,
      platforms: [{ platform: "linux/amd64", digest: someDigest }],
    },
    steps: [{ id: "1", name: "RUN make", platform: "linux/amd64", cached: true, startedMs: 1_000, durationMs: 250 }],
    context: { files: 3, sentFiles: 2, totalBytes: 30, sentBytes: 20 },
    pods: ["builder-0"],
    queuedMs: expect.any(Number) as number,
    durationMs: expect.any(Number) as number,
    metadata: { "stub.key": "value" },
  });
});

test("ends in one build-end, and drops what a driver reports later", async () => {
  let late: DriverCall["emit"] = () => undefined;
  const build: BuilderDriver["build"] = async (_, { emit }) => {
    late = emit;
    return { digest: someDigest };
  };
  const seen: BuildEvent[] = [];
  const run = createBuilder({ driver: stubDriver({ build }), onEvent: (event) => seen.push(event) }).build(options);
  expect(await typesOf(run)).toEqual(["build-queue", "build-start", "build-end"]);
  late({ type: "warning", message: "late" });
  expect(seen.map((event) => event.type)).toEqual(["build-queue", "build-start", "build-end"]);
});

test("reports build-queue inside the call of build, with the place in the line", () => {
  const positions: number[] = [];
  const onEvent = (event: BuildEvent) => event.type === "build-queue" && positions.push(event.position);
  const builder = createBuilder({ driver: stubDriver({ build: untilAborted }), concurrency: 2, onEvent });
  for (let count = 0; count < 4; count++) builder.build(options);
  builder.build(options, { priority: 1 });
  expect(positions).toEqual([0, 0, 1, 2, 0]);
  return builder.close();
});

test("builds the highest priority first, and no more at a time than allowed", async () => {
  const order: string[] = [];
  let running = 0;
  const build: BuilderDriver["build"] = async ({ name }) => {
    expect(++running).toBe(1);
    order.push(name);
    await Promise.resolve();
    running -= 1;
    return { digest: someDigest };
  };
  const builder = createBuilder({ driver: stubDriver({ build }), concurrency: 1 });
  const priorities = { first: 0, low: 1, high: 9, middle: 5 };
  const runs = Object.entries(priorities).map(([name, priority]) => builder.build({ ...options, name }, { priority }));
  await Promise.all(runs.map((run) => run.result()));
  expect(order.toSorted()).toEqual(["first", "high", "low", "middle"]);
  expect(order.indexOf("high")).toBeLessThan(order.indexOf("middle"));
  expect(order.indexOf("middle")).toBeLessThan(order.indexOf("low"));
});

test("iteration throws the error after build-end, and result and image reject with it", async () => {
  const build = () => Promise.reject(podLost());
  const run = createBuilder({ driver: stubDriver({ build }), retries: 0 }).build(options);
  expect(await typesOf(run)).toEqual(["build-queue", "build-start", "build-end", "thrown"]);
  await expect(run.result()).rejects.toMatchObject({ code: "POD_LOST", driver: "stub" });
  await expect(run.image()).rejects.toMatchObject({ code: "POD_LOST" });
});

test("turns anything that a driver throws into a BuilderError that names the driver", async () => {
  const build = () => Promise.reject(new TypeError("x is not a function"));
  const run = createBuilder({ driver: stubDriver({ build }) }).build(options);
  await expect(run.result()).rejects.toMatchObject({
    code: "INTERNAL",
    driver: "stub",
    details: { thrown: "TypeError: x is not a function" },
    cause: expect.any(TypeError) as TypeError,
  });
});

test.each<[string, (run: BuildRun, caller: AbortController) => unknown, string]>([
  ["the caller's signal", (_, caller) => caller.abort("no longer needed"), "no longer needed"],
  ["cancel", (run) => run.cancel("superseded"), "superseded"],
  ["disposal", (run) => run[Symbol.asyncDispose](), "the run was left before the build ended"],
])("%s aborts the driver's signal and ends in ABORTED with the reason", async (_, stop, reason) => {
  const caller = new AbortController();
  const run = createBuilder({ driver: stubDriver({ build: untilAborted }) }).build(options, { signal: caller.signal });
  for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => run[Symbol.asyncIterator]().next() }) })
    if (event.type === "build-start") break;
  await stop(run, caller);
  await expect(run.result()).rejects.toMatchObject({ code: "ABORTED", details: { reason } });
});

test("break cancels the build and waits until it is dead", async () => {
  let dead = false;
  const build: BuilderDriver["build"] = async (request, call) => {
    call.emit({ type: "warning", message: "under way" });
    try {
      return await untilAborted(request, call);
    } finally {
      await new Promise((resolve) => setTimeout(resolve, 20));
      dead = true;
    }
  };
  const run = createBuilder({ driver: stubDriver({ build }) }).build(options);
  for await (const event of run) if (event.type === "warning") break;
  expect(dead).toBe(true);
  expect(await codeOf(run.result())).toBe("ABORTED");
});

test("a build that is aborted while it waits never reaches the driver", async () => {
  const build = vi.fn(untilAborted);
  const builder = createBuilder({ driver: stubDriver({ build }), concurrency: 1 });
  const first = builder.build(options);
  const second = builder.build(options);
  await vi.waitFor(() => expect(build).toHaveBeenCalledTimes(1));
  await second.cancel();
  expect(await codeOf(second.result())).toBe("ABORTED");
  expect(await typesOf(second)).toEqual(["build-queue", "build-end", "thrown"]);
  await first.cancel();
  await builder.close();
  expect(build).toHaveBeenCalledTimes(1);
});

test("the deadline counts from the start of the work, not of the wait", async () => {
  let release: (value: { digest: string }) => void = () => undefined;
  const build = vi
    .fn<BuilderDriver["build"]>()
    .mockImplementationOnce(() => new Promise((resolve) => (release = resolve)))
    .mockImplementation(untilAborted);
  const builder = createBuilder({ driver: stubDriver({ build }), concurrency: 1 });
  const first = builder.build(options);
  const second = builder.build(options, { timeoutMs: 40 });
  await new Promise((resolve) => setTimeout(resolve, 80));
  expect(build).toHaveBeenCalledTimes(1);
  release({ digest: someDigest });
  await first.result();
  await expect(second.result()).rejects.toMatchObject({ code: "TIMEOUT", details: { timeoutMs: 40 } });
});

test("what a driver throws after an abort is the cause, not the outcome", async () => {
  const build: BuilderDriver["build"] = (request, call) => {
    call.emit({ type: "warning", message: "under way" });
    return untilAborted(request, call).catch(() => Promise.reject(new Error("kill failed")));
  };
  const run = createBuilder({ driver: stubDriver({ build }) }).build(options);
  for await (const event of run) if (event.type === "warning") break;
  await expect(run.result()).rejects.toMatchObject({
    code: "ABORTED",
    cause: { code: "INTERNAL", details: { thrown: "Error: kill failed" } },
  });
});

test("tries again after a retryable error, says so, and forgets the steps of the failed attempt", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"], shouldAdvanceTime: true, advanceTimeDelta: 200 });
  const build = vi.fn<BuilderDriver["build"]>(async (_, { emit }) => {
    const attempt = build.mock.calls.length;
    emit({ type: "step-start", step: String(attempt), name: `attempt ${attempt}` });
    if (attempt < 3) throw podLost();
    emit({ type: "step-end", step: String(attempt), cached: false });
    return { digest: someDigest };
  });
  const seen: BuildEvent[] = [];
  const run = createBuilder({ driver: stubDriver({ build }), onEvent: (event) => seen.push(event) }).build(options);
  const { steps } = await run.result();
  vi.useRealTimers();
  expect(steps.map((step) => step.name)).toEqual(["attempt 3"]);
  const retries = seen.flatMap((event) => (event.type === "build-retry" ? [[event.attempt, event.error.code]] : []));
  expect(retries).toEqual([
    [2, "POD_LOST"],
    [3, "POD_LOST"],
  ]);
});

test("says once what attempts at a build warn of in the same words, and all that they warn of otherwise", async () => {
  const insecure = { type: "warning", message: "Connections that others can read." } as const;
  let attempts = 0;
  const build: BuilderDriver["build"] = async (_, { emit }) => {
    attempts += 1;
    emit(insecure);
    for (const line of [1, 2]) emit({ type: "warning", message: "Bad casing.", file: "Dockerfile", line });
    emit({ type: "warning", message: `Attempt ${attempts}.` });
    if (attempts === 1) throw podLost();
    return { digest: someDigest };
  };
  const builder = createBuilder({ driver: stubDriver({ build }) });
  const warnings = async (): Promise<string[]> => {
    const said: string[] = [];
    for await (const event of builder.build(options)) if (event.type === "warning") said.push(event.message);
    return said;
  };
  const once = [insecure.message, "Bad casing.", "Bad casing."];
  expect(await warnings()).toEqual([...once, "Attempt 1.", "Attempt 2."]);
  expect(attempts).toBe(2);
  // Another build says it again.
  expect(await warnings()).toEqual([...once, "Attempt 3."]);
});

test("gives up after the retries that it was given", async () => {
  const build = vi.fn(() => Promise.reject(podLost()));
  const run = createBuilder({ driver: stubDriver({ build }), retries: 1 }).build(options);
  expect(await codeOf(run.result())).toBe("POD_LOST");
  expect(build).toHaveBeenCalledTimes(2);
});

test("never tries a failing Dockerfile again, whatever the driver says", async () => {
  const failed = new BuilderError({
    code: "BUILD_FAILED",
    message: "Failed.",
    details: { logTail: "" },
    retryable: true,
  });
  const build = vi.fn(() => Promise.reject(failed));
  expect(
    await codeOf(
      createBuilder({ driver: stubDriver({ build }) })
        .build(options)
        .result(),
    ),
  ).toBe("BUILD_FAILED");
  expect(build).toHaveBeenCalledTimes(1);
});

test("does not try again once a function of the caller has taken a part of the archive", async () => {
  const build = vi.fn<BuilderDriver["build"]>(async ({ outputs: [output] }, { signal }) => {
    if (output && "destination" in output) await output.destination((async function* () {})(), { signal });
    throw podLost();
  });
  const driver = stubDriver({ build, features: ["outputs:oci"] });
  const run = createBuilder({ driver }).build({ ...options, outputs: [{ type: "oci", destination: async () => {} }] });
  expect(await codeOf(run.result())).toBe("POD_LOST");
  expect(build).toHaveBeenCalledTimes(1);
});

test("an abort between attempts stops the build", async () => {
  const build = vi.fn(() => Promise.reject(podLost()));
  const run = createBuilder({ driver: stubDriver({ build }) }).build(options);
  for await (const event of run) if (event.type === "build-retry") break;
  expect(await codeOf(run.result())).toBe("ABORTED");
  expect(build).toHaveBeenCalledTimes(1);
});

test("a tar that hands out the same stream again is not built from its empty rest", async () => {
  const stream = (async function* () {
    yield new Uint8Array(512);
  })();
  const build: BuilderDriver["build"] = async ({ context }) => {
    if (context.type === "tar") for await (const _chunk of context.read());
    throw podLost();
  };
  const driver = stubDriver({ build, features: ["context:tar"] });
  const run = createBuilder({ driver }).build({ ...options, context: { type: "tar", read: () => stream } });
  await expect(run.result()).rejects.toMatchObject({ code: "CONTEXT_INVALID", details: { path: "tar" } });
});

test("an image without a digest is a defect of the driver, by name", async () => {
  for (const result of [{}, { digest: "latest" }]) {
    const run = createBuilder({ driver: stubDriver({ build: async () => result }) }).build(options);
    await expect(run.result()).rejects.toMatchObject({
      code: "INTERNAL",
      driver: "stub",
      message: expect.stringContaining('"stub"') as string,
    });
  }
});

test("a build without an image has none: NO_IMAGE with its outputs", async () => {
  const driver = stubDriver({ build: async () => ({}), features: ["outputs:cache-only"] });
  const run = createBuilder({ driver }).build({ ...options, tags: [], outputs: [{ type: "cache-only" }] });
  expect((await run.result()).image).toBeUndefined();
  await expect(run.image()).rejects.toMatchObject({ code: "NO_IMAGE", details: { outputs: ["cache-only"] } });
});

test.each<[string, object, string, string]>([
  ["an unknown option", { contxt: "." }, "INVALID_OPTIONS", 'contxt: Unknown key "contxt", did you mean "context"?'],
  [
    "an unknown key of the driver's own",
    { stub: { sped: 1 } },
    "INVALID_OPTIONS",
    'stub.sped: Unknown key "sped", did you mean "speed"?',
  ],
  ["a misspelt key of the driver", { stubb: {} }, "INVALID_OPTIONS", 'Unknown key "stubb", did you mean "stub"?'],
  [
    "an unknown key inside a context",
    { context: { type: "git", url: "u", reff: "v1" } },
    "INVALID_OPTIONS",
    'context.reff: Unknown key "reff", did you mean "ref"?',
  ],
  [
    "an invalid tag",
    { tags: ["registry.example.com/Team/api:v1"] },
    "INVALID_OPTIONS",
    'tags[0]: "registry.example.com/Team/api:v1" is no valid image reference; a repository is lower case',
  ],
  ["a push without tags", { tags: [] }, "INVALID_OPTIONS", "tags: A push needs a tag"],
  [
    "a Dockerfile outside of the context",
    { dockerfile: "../Dockerfile" },
    "INVALID_OPTIONS",
    "dockerfile: Must be a path inside the context",
  ],
  [
    "an undeclared feature",
    { sbom: true, ssh: { default: {} } },
    "UNSUPPORTED_FEATURE",
    'The driver "stub" does not support ssh, sbom. Its engine has no agent. Leave it out',
  ],
  ["a missing context", { context: "/no/such/folder" }, "CONTEXT_INVALID", "/no/such/folder does not exist"],
  ["a missing Dockerfile", { dockerfile: "Dockerfil" }, "CONTEXT_INVALID", 'Did you mean "Dockerfile"?'],
])("%s fails through the run before the driver is asked", async (_, wrong, code, message) => {
  const build = vi.fn<BuilderDriver["build"]>(async () => ({ digest: someDigest }));
  const own = { stub: z.strictObject({ speed: z._default(z.number(), 1) }) };
  const limitations = { ssh: "Its engine has no agent", secrets: "It keeps none" };
  const driver = { ...stubDriver({ build }), buildOptions: own, limitations };
  const run = createBuilder({ driver }).build({ ...options, ...wrong });
  expect((await typesOf(run)).slice(-2)).toEqual(["build-end", "thrown"]);
  await expect(run.result()).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  expect(build).not.toHaveBeenCalled();
});

test("an absent key of the driver's own is parsed as {}", async () => {
  const build = vi.fn<BuilderDriver["build"]>(async () => ({ digest: someDigest }));
  const driver = {
    ...stubDriver({ build }),
    buildOptions: { stub: z.strictObject({ speed: z._default(z.number(), 1) }) },
  };
  await createBuilder({ driver }).build(options).result();
  expect(build.mock.calls[0]?.[0]).toMatchObject({ stub: { speed: 1 } });
});

test("createBuilder refuses wrong options and drivers that are none", () => {
  const attachOnly = { ...stubDriver(), attach: async () => ({}) };
  const taken = { ...stubDriver(), buildOptions: { tags: z.strictObject({}) } };
  expect(() => createBuilder({ driver: stubDriver(), concurency: 2 } as never)).toThrow(
    'Unknown key "concurency", did you mean "concurrency"?',
  );
  expect(() => createBuilder({ driver: "buildkit" } as never)).toThrow("driver: Must be a driver");
  expect(() => createBuilder({ driver: attachOnly })).toThrow("Has attach without builds and cancel");
  expect(() => createBuilder({ driver: taken as never })).toThrow("Adds build options that exist already: tags");
  expect(() => createBuilder({ driver: { ...stubDriver(), specificationVersion: "v2" } as never })).toThrow(
    'this core takes "v1"',
  );
});

test("the keychains of the call are asked before those of the builder", async () => {
  const keychain = (source: string) => ({
    resolve: async () => [{ source, type: "registry-token" as const, token: "t" }],
  });
  const sources: string[] = [];
  const build: BuilderDriver["build"] = async (_, { credentials, signal }) => {
    const candidates = await credentials.resolve({ registry: "registry.example.com", actions: ["push"] }, { signal });
    sources.push(...candidates.map((candidate) => candidate.source));
    return { digest: someDigest };
  };
  const builder = createBuilder({ driver: stubDriver({ build }), credentials: [keychain("builder")] });
  await builder.build(options, { credentials: [keychain("call")] }).result();
  expect(sources).toEqual(["call", "builder"]);
});

test("an onEvent that throws does not touch the build", async () => {
  const errors: string[] = [];
  const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: (message: string) => errors.push(message) };
  const onEvent = () => {
    throw new Error("renderer");
  };
  await createBuilder({ driver: stubDriver(), onEvent, logger }).build(options).result();
  expect(errors[0]).toBe("onEvent has thrown: Error: renderer");
});

test("close cancels what runs, disposes the driver once, and ends later calls with ABORTED", async () => {
  const dispose = vi.fn(async () => {});
  const driver = {
    ...stubDriver({ build: untilAborted }),
    prune: untilAborted as never,
    [Symbol.asyncDispose]: dispose,
  };
  const builder = createBuilder({ driver });
  const run = builder.build(options);
  const pruned = codeOf(builder.prune());
  await Promise.all([builder.close(), builder.close()]);
  expect(dispose).toHaveBeenCalledTimes(1);
  expect([await codeOf(run.result()), await pruned]).toEqual(["ABORTED", "ABORTED"]);
  expect([await codeOf(builder.build(options).result()), await codeOf(builder.status())]).toEqual([
    "ABORTED",
    "ABORTED",
  ]);
});

test("a failed run that nobody looks at is no unhandled rejection", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const builder = createBuilder({ driver: stubDriver({ build: () => Promise.reject(new Error("x")) }) });
  builder.build(options);
  await builder.close();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

test("progress is merged: the first at once, the latest before what depends on it", async () => {
  const progress = (sentBytes: number): DriverEvent => ({ type: "push-progress", reference: "r", sentBytes });
  const build: BuilderDriver["build"] = async (_, { emit }) => {
    for (let sent = 1; sent <= 10_000; sent++) emit(progress(sent));
    return { digest: someDigest };
  };
  const sent: number[] = [];
  const onEvent = (event: BuildEvent) => event.type === "push-progress" && sent.push(event.sentBytes);
  await createBuilder({ driver: stubDriver({ build }), onEvent })
    .build(options)
    .result();
  expect(sent[0]).toBe(1);
  expect(sent.at(-1)).toBe(10_000);
  expect(sent.length).toBeLessThan(10);
});

test("progress that was held back comes before what happens next", async () => {
  const build: BuilderDriver["build"] = async (_, { emit }) => {
    for (const current of [1, 2, 3]) emit({ type: "step-progress", step: "1", task: "extracting", current });
    emit({ type: "step-end", step: "1", cached: false });
    return { digest: someDigest };
  };
  const seen: unknown[] = [];
  const onEvent = (event: BuildEvent) => seen.push(event.type === "step-progress" ? event.current : event.type);
  await createBuilder({ driver: stubDriver({ build }), onEvent })
    .build(options)
    .result();
  expect(seen).toEqual(["build-queue", "build-start", 1, 3, "step-end", "build-end"]);
});

test("each attempt is told the time that is left", async () => {
  const left: (number | undefined)[] = [];
  const build: BuilderDriver["build"] = (_, { timeoutMs }) => {
    left.push(timeoutMs);
    return Promise.reject(podLost());
  };
  const run = createBuilder({ driver: stubDriver({ build }), retries: 1 }).build(options, { timeoutMs: 60_000 });
  expect(await codeOf(run.result())).toBe("POD_LOST");
  expect(left[0]).toBeGreaterThan(30_000);
  expect(left[1]).toBeLessThan(left[0] ?? 0);
});
