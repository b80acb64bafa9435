import { expect, test, vi } from "vitest";

import type { Builder } from "./builder.ts";
import { createBuilder } from "./builder.ts";
import type { DriverEvent } from "./build-event.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import type { BuildInfo } from "./builder-status.ts";
import { operations } from "./operation.ts";
import type { Operation } from "./operation.ts";
import { contextFolder, someDigest, stubDriver, untilAborted } from "./self-test/stub-driver.ts";

const info: BuildInfo = {
  id: "b1",
  name: "api",
  state: "running",
  tags: ["registry.example.com/api:v1"],
  startedMs: 1,
};

/** Calls an operation as JavaScript does: the types of a builder hide what its driver lacks. */
function operate(builder: Builder, operation: Operation): unknown {
  const method: unknown = Reflect.get(builder, operation);
  if (typeof method !== "function") throw new TypeError(`a builder without ${operation}`);
  return Reflect.apply(method, builder, []);
}

test.each(operations.filter((name) => name !== "attach"))(
  "%s that the driver lacks throws UNSUPPORTED_FEATURE with its name",
  async (name) => {
    await expect(operate(createBuilder({ driver: stubDriver() }), name)).rejects.toMatchObject({
      code: "UNSUPPORTED_FEATURE",
      details: { features: [name] },
    });
  },
);

test("attach that the driver lacks throws at once", () => {
  expect(() => operate(createBuilder({ driver: stubDriver() }), "attach")).toThrow(
    'The driver "stub" does not support attach',
  );
});

test("the refusal of an operation quotes why the driver lacks it", async () => {
  const limitations = { publish: "copyImage does it from where you are" };
  const builder = createBuilder({ driver: stubDriver({ limitations }) });
  await expect(operate(builder, "publish")).rejects.toThrow(
    'The driver "stub" does not support publish. copyImage does it from where you are. Leave it out',
  );
});

test("supports answers for features and for operations", () => {
  const builder = createBuilder({
    driver: stubDriver({ features: ["secrets"], prune: async () => ({ reclaimedBytes: 0, objects: [] }) }),
  });
  expect(["secrets", "sbom"].map((feature) => builder.supports(feature as "secrets"))).toEqual([true, false]);
  expect([builder.supports("prune"), builder.supports("stop")]).toEqual([true, false]);
});

test("options of operations are strict, with defaults filled in", async () => {
  const prune = vi.fn<NonNullable<BuilderDriver["prune"]>>(async () => ({ reclaimedBytes: 1, objects: [] }));
  const remove = vi.fn<NonNullable<BuilderDriver["remove"]>>(async () => {});
  const builder = createBuilder({ driver: { ...stubDriver(), prune, remove } });
  await builder.prune({ keepBytes: 5 });
  await builder.remove();
  expect([prune.mock.calls[0]?.[0], remove.mock.calls[0]?.[0]]).toEqual([{ keepBytes: 5 }, { keepState: false }]);
  await expect(builder.prune({ keepByte: 5 } as never)).rejects.toThrow(
    'Unknown key "keepByte", did you mean "keepBytes"?',
  );
  await expect(builder.prune({}, { timeout: 5 } as never)).rejects.toThrow(
    'Unknown key "timeout", did you mean "timeoutMs"?',
  );
});

test("bootstrap reports its progress to the caller and resolves to the status", async () => {
  const bootstrap: BuilderDriver["bootstrap"] = async ({ emit }) =>
    emit({ type: "pod-phase", pod: "p", phase: "pending", timeMs: 5 });
  const events: unknown[] = [];
  const builder = createBuilder({ driver: stubDriver({ bootstrap }) });
  expect(await builder.bootstrap({ onEvent: (event) => events.push(event) })).toEqual({ state: "running", nodes: [] });
  expect(events).toEqual([{ type: "pod-phase", pod: "p", phase: "pending", timeMs: 5 }]);
});

test("publish reports to the caller what each destination has, thinned out, and the latest before it resolves", async () => {
  const image = { digest: someDigest, references: [], sentBytes: 6, mountedBytes: 0, skippedBytes: 0 };
  let emitLater: ((event: DriverEvent) => void) | undefined;
  const publish: NonNullable<BuilderDriver["publish"]> = async ({ destinations }, { emit }) => {
    emitLater = emit;
    for (const sentBytes of [1, 2, 3])
      for (const reference of destinations) emit({ type: "push-progress", reference, sentBytes, totalBytes: 3 });
    return image;
  };
  const events: unknown[] = [];
  const onEvent = (event: DriverEvent): void => {
    if (event.type === "push-progress") events.push([event.reference, event.sentBytes, event.totalBytes]);
  };
  const builder = createBuilder({ driver: { ...stubDriver(), publish } });
  const options = { source: "r.io/app:1", destinations: ["a.io/app:1", "b.io/app:1"] };
  expect(await builder.publish(options, { onEvent })).toEqual(image);
  const seen = [
    ["a.io/app:1", 1, 3],
    ["b.io/app:1", 1, 3],
    ["a.io/app:1", 3, 3],
    ["b.io/app:1", 3, 3],
  ];
  expect(events).toEqual(seen);
  emitLater?.({ type: "push-progress", reference: "a.io/app:1", sentBytes: 4 });
  expect(events).toEqual(seen);
});

test("ensurePullable says to the caller which source cannot be read", async () => {
  const warning = { type: "warning", message: "the secret builds/regcred holds no JSON" } as const;
  const ensurePullable: NonNullable<BuilderDriver["ensurePullable"]> = async (_options, { emit }) => {
    emit(warning);
    return { secrets: [], warnings: [] };
  };
  const events: unknown[] = [];
  const builder = createBuilder({ driver: { ...stubDriver(), ensurePullable } });
  await builder.ensurePullable({ namespace: "apps" }, { onEvent: (event) => events.push(event) });
  expect(events).toMatchObject([warning]);
});

test("an operation ends with its signal or its deadline, and its errors name the driver", async () => {
  const stop: NonNullable<BuilderDriver["stop"]> = async (call) => {
    await untilAborted(undefined as never, call);
  };
  const builder = createBuilder({ driver: { ...stubDriver(), stop } });
  await expect(builder.stop({ timeoutMs: 5 })).rejects.toMatchObject({ code: "TIMEOUT", driver: "stub" });
  await expect(builder.stop({ signal: AbortSignal.abort("enough") })).rejects.toMatchObject({
    code: "ABORTED",
    details: { reason: "enough" },
  });
});

test("submit checks everything before the driver is asked, and resolves to the build", async () => {
  const submit = vi.fn(async () => {});
  const builder = createBuilder({ driver: { ...stubDriver(), submit } });
  await expect(builder.submit({ context: "/no/such/folder", tags: ["a:b"] })).rejects.toMatchObject({
    code: "CONTEXT_INVALID",
  });
  await expect(builder.submit({ context: ".", tags: ["a:b"], sbom: true })).rejects.toMatchObject({
    code: "UNSUPPORTED_FEATURE",
  });
  expect(submit).not.toHaveBeenCalled();
  expect(await builder.submit({ context: contextFolder(), tags: ["a:b"] })).toMatchObject({
    name: "a:b",
    state: "running",
    tags: ["a:b"],
  });
});

test("builds are listed newest first", async () => {
  const builds = async () => [info, { ...info, id: "b2", startedMs: 9 }];
  expect((await createBuilder({ driver: { ...stubDriver(), builds } }).builds()).map(({ id }) => id)).toEqual([
    "b2",
    "b1",
  ]);
});

function attachable(changes: Partial<BuilderDriver> = {}) {
  const cancel = vi.fn(async () => {});
  const attach: NonNullable<BuilderDriver["attach"]> = (_, call) => untilAborted(undefined as never, call);
  const driver = { ...stubDriver(), attach, builds: async () => [info], cancel, ...changes };
  return { cancel, builder: createBuilder({ driver }) };
}

test("letting go of an attached run leaves the build alone", async () => {
  const { builder, cancel } = attachable();
  const run = builder.attach("b1");
  for await (const event of run) if (event.type === "build-start") break;
  await expect(run.result()).rejects.toMatchObject({ code: "ABORTED" });
  expect(cancel).not.toHaveBeenCalled();
});

test("cancel of an attached run kills the build", async () => {
  const { builder, cancel } = attachable();
  const run = builder.attach("b1");
  await run.cancel();
  expect(cancel).toHaveBeenCalledTimes(1);
  await expect(run.result()).rejects.toMatchObject({ code: "ABORTED" });
});

test("an attached run completes its result from the record of the build", async () => {
  const { builder } = attachable({ attach: async () => ({ digest: someDigest }) });
  const run = builder.attach("b1");
  expect(await run.image()).toMatchObject({
    digest: someDigest,
    tags: info.tags,
    reference: `registry.example.com/api@${someDigest}`,
  });
});

test("attaching to what nobody started is BUILD_NOT_FOUND", async () => {
  const error: unknown = await attachable()
    .builder.attach("b9")
    .result()
    .catch((thrown: unknown) => thrown);
  expect(BuilderError.isInstance(error) && error.code === "BUILD_NOT_FOUND" && error.details.buildId).toBe("b9");
});
