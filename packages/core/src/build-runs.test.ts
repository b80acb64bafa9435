import { expect, test } from "vitest";

import type { BuildOptions } from "./build-options.ts";
import { createBuilder } from "./builder.ts";
import type { BuilderDriver } from "./builder-driver.ts";
import { contextFolder, someDigest, stubDriver } from "./self-test/stub-driver.ts";

const context = contextFolder();
const repository = "registry.example.com/team/api";

/** A builder whose builds end when a test says so, and note what happens. */
function heldBuilder(concurrency = 4) {
  const notes: string[] = [];
  const endings = new Map<string, () => void>();
  const build: BuilderDriver["build"] = ({ tags: [tag = ""] }, { signal }) =>
    new Promise((resolve, reject) => {
      notes.push(`${tag} begins`);
      endings.set(tag, () => {
        notes.push(`${tag} is dead`);
        if (signal.aborted) reject(signal.reason as Error);
        else resolve({ digest: someDigest });
      });
    });
  const builder = createBuilder({ driver: stubDriver({ build }), concurrency });
  const start = (version: string, options: Partial<BuildOptions> = {}) =>
    builder.build({ context, tags: [`${repository}:${version}`], name: "api", ...options });
  const begun = (version: string) => expect.poll(() => notes).toContain(`${repository}:${version} begins`);
  const end = (version: string) => endings.get(`${repository}:${version}`)?.();
  return { builder, start, begun, end, notes: () => notes.map((note) => note.replace(`${repository}:`, "")) };
}

const latest = { supersedes: "image" } as const;

test("a later build ends the one under way, begins when that is dead, and the earlier one says by which", async () => {
  const { start, begun, end, notes } = heldBuilder();
  const first = start("v1");
  await begun("v1");
  const second = start("v2", latest);
  const failed = expect(first.result()).rejects.toMatchObject({
    code: "ABORTED",
    details: { supersededBy: second.id, reason: expect.stringContaining(second.id) as string },
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(notes()).toEqual(["v1 begins"]);
  end("v1");
  await failed;
  await begun("v2");
  end("v2");
  expect((await second.result()).image?.digest).toBe(someDigest);
  expect(notes()).toEqual(["v1 begins", "v1 is dead", "v2 begins", "v2 is dead"]);
});

test("of many that wait only the last is built, and it waits for the first to be dead", async () => {
  const { start, begun, end, notes } = heldBuilder();
  const first = start("v1", latest);
  await begun("v1");
  const others = ["v2", "v3", "v4"].map((version) => start(version, latest));
  const last = start("v5", latest);
  const failed = [first, ...others].map((run) => expect(run.result()).rejects.toMatchObject({ code: "ABORTED" }));
  await Promise.all(failed.slice(1));
  expect(notes()).toEqual(["v1 begins"]);
  end("v1");
  await begun("v5");
  end("v5");
  await Promise.all(failed);
  await last.result();
  expect(notes()).toEqual(["v1 begins", "v1 is dead", "v5 begins", "v5 is dead"]);
});

test("a build that waits in the queue is given up, too", async () => {
  const { start, begun, end } = heldBuilder(1);
  const other = start("other", { name: "web" });
  await begun("other");
  const queued = start("v1");
  const last = start("v2", latest);
  await expect(queued.result()).rejects.toMatchObject({ details: { supersededBy: last.id } });
  end("other");
  await begun("v2");
  end("v2");
  await Promise.all([other.result(), last.result()]);
});

test("builds of other names, and builds without the option, leave each other alone", async () => {
  const { start, begun, end } = heldBuilder();
  const runs = [start("v1"), start("v2"), start("v3", { ...latest, name: "web" })];
  for (const version of ["v1", "v2", "v3"]) {
    await begun(version);
    end(version);
  }
  await expect(Promise.all(runs.map((run) => run.result()))).resolves.toHaveLength(3);
});

test("without a name the first tag is the name", async () => {
  const { start, begun, end, notes } = heldBuilder();
  const first = start("dev", { name: undefined });
  await begun("dev");
  const second = start("dev", { name: undefined, ...latest });
  const failed = expect(first.result()).rejects.toMatchObject({ code: "ABORTED" });
  end("dev");
  await failed;
  await expect.poll(() => notes().filter((note) => note === "dev begins")).toHaveLength(2);
  end("dev");
  await second.result();
});

test("what waits for a dying build can be cancelled itself", async () => {
  const { start, begun, end } = heldBuilder();
  const first = start("v1");
  await begun("v1");
  const second = start("v2", latest);
  await second.cancel("changed my mind");
  await expect(second.result()).rejects.toMatchObject({ code: "ABORTED", details: { reason: "changed my mind" } });
  end("v1");
  await expect(first.result()).rejects.toMatchObject({ code: "ABORTED" });
});

test("a build that was stopped before it began takes nobody's place", async () => {
  const { builder, start, begun, end } = heldBuilder();
  const first = start("v1");
  await begun("v1");
  const options = { context, tags: [`${repository}:v2`], name: "api", ...latest };
  const second = builder.build(options, { signal: AbortSignal.abort() });
  await expect(second.result()).rejects.toMatchObject({ code: "ABORTED" });
  end("v1");
  await expect(first.result()).resolves.toMatchObject({ image: { digest: someDigest } });
});

test("a submitted build takes nobody's place", async () => {
  const builder = createBuilder({ driver: stubDriver({ submit: async () => {} }) });
  if (!builder.supports("submit")) throw new Error("There is no submit.");
  const submitted = builder.submit({ context, tags: [`${repository}:v1`], ...latest });
  await expect(submitted).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    details: { issues: [{ path: "supersedes" }] },
  });
});
