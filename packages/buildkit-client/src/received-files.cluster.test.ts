import { chmodSync, lstatSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";

import { BuilderError } from "@slipway/core";
import { expect, test } from "vitest";

import type { ContextFolder } from "./__fixtures__/context-folder.ts";
import { contextFolder } from "./__fixtures__/context-folder.ts";
import { useDaemon } from "./__fixtures__/real-daemon.ts";
import { buildOf } from "./__fixtures__/requests.ts";
import { readTar } from "./__fixtures__/tar-reader.ts";
import type { ReceivedFiles, ReceivedFilesStore } from "./solve/received-files.ts";
import type { SolveResponse } from "./solve/solve-request.ts";
import type { StatusUpdate } from "./solve/status-update.ts";

const real = useDaemon();

class MemoryStore implements ReceivedFilesStore {
  kept: ReceivedFiles | undefined;

  take(): Promise<ReceivedFiles | undefined> {
    const { kept } = this;
    this.kept = undefined;
    return Promise.resolve(kept);
  }

  keep(received: ReceivedFiles): Promise<void> {
    this.kept = received;
    return Promise.resolve();
  }
}

interface Built {
  readonly response: SolveResponse;
  /** Path and mode, and the content's hash or the link's target, of all that the image has. */
  readonly image: readonly string[];
}

interface HowToBuild {
  readonly received?: ReceivedFilesStore;
  readonly target?: string;
  readonly sharedKey?: string;
}

/** Builds into an archive, so that what the daemon took for the context can be seen. */
async function build(context: ContextFolder, { received, target, sharedKey }: HowToBuild = {}): Promise<Built> {
  const chunks: Uint8Array[] = [];
  const sink = async (archive: AsyncIterable<Uint8Array>) => {
    for await (const chunk of archive) chunks.push(chunk);
  };
  const request = buildOf(context.path, {
    exporters: [{ type: "tar", attributes: {}, sink }],
    frontendAttributes: target === undefined ? {} : { target },
  });
  const session = { ...request.session, received, sharedKey: sharedKey ?? context.path };
  const response = await real.client.solve({ ...request, session });
  const entries = [...readTar(Buffer.concat(chunks)).values()];
  const image = entries.map(({ path, mode, sha256, linkname }) => `${path} ${mode.toString(8)} ${sha256} ${linkname}`);
  return { response, image: image.sort() };
}

const wireBytes = ({ response: { transfers } }: Built) => transfers.reduce((sum, walk) => sum + walk.wireBytes, 0);
const copyAll = "FROM scratch\nCOPY src /src\n";

test("a build without changes is asked for nothing, and tells of the context all the same", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/a": "a", "src/b": "bb", ".dockerignore": "src/no" });
  const received = new MemoryStore();
  const first = await build(context, { received });
  expect(wireBytes(first)).toBeGreaterThan(0);
  const second = await build(context, { received });
  expect(wireBytes(second)).toBe(0);
  expect(second.image).toEqual(first.image);
  expect(second.response.transfers.find(({ paths }) => paths[0] === "src")).toMatchObject({
    files: 2,
    totalBytes: 3,
    sentFiles: 0,
    done: true,
  });
  const third = await build(context, { received });
  expect(wireBytes(third)).toBe(0);
});

const changes: Readonly<Record<string, (context: ContextFolder) => void>> = {
  "new content": (context) => context.write("src/a", "other"),
  "a new file": (context) => context.write("src/new", ""),
  "a file that is gone": ({ path }) => rmSync(join(path, "src/b")),
  "another mode": ({ path }) => chmodSync(join(path, "src/a"), 0o755),
  "another target of a link": ({ path }) => {
    rmSync(join(path, "src/link"));
    symlinkSync("b", join(path, "src/link"));
  },
  "a Dockerfile of the same size and time": (context) =>
    sameTime(context, "Dockerfile", () => context.write("Dockerfile", copyAll.replace("/src", "/dst"))),
  "a .dockerignore of the same size and time": (context) =>
    sameTime(context, ".dockerignore", () => context.write(".dockerignore", "src/a")),
};

/** BuildKit does not go by the times of these files either. */
function sameTime({ path }: ContextFolder, name: string, change: () => void): void {
  const { mtime, size } = lstatSync(join(path, name));
  change();
  utimesSync(join(path, name), mtime, mtime);
  expect(lstatSync(join(path, name))).toMatchObject({ size });
}

test.each(Object.keys(changes))("a build notices %s", async (what) => {
  const files = { Dockerfile: copyAll, "src/a": "a", "src/b": "bb", ".dockerignore": "src/b" };
  using context = contextFolder(what === "a file that is gone" ? { ...files, ".dockerignore": "src/x" } : files);
  symlinkSync("a", join(context.path, "src/link"));
  const old = new Date(1_700_000_000_000);
  for (const name of ["Dockerfile", ".dockerignore"]) utimesSync(join(context.path, name), old, old);
  const received = new MemoryStore();
  const first = await build(context, { received });
  changes[what]?.(context);
  const second = await build(context, { received });
  expect(second.image).not.toEqual(first.image);
  // What a build shows that knows of none before is what there is.
  expect(second.image).toEqual((await build(context)).image);
});

test("what is changed and changed back is built as it is", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/a": "one" });
  const received = new MemoryStore();
  const images = [];
  for (const content of ["one", "two", "one"]) {
    context.write("src/a", content);
    images.push((await build(context, { received })).image);
  }
  expect(images[0]).not.toEqual(images[1]);
  expect(images[2]).toEqual(images[0]);
});

test("a daemon that has lost the files asks for them again", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/a": "a" });
  const received = new MemoryStore();
  const first = await build(context, { received });
  expect((await real.client.prune({ all: true })).length).toBeGreaterThan(0);
  const second = await build(context, { received });
  expect(wireBytes(second)).toBeGreaterThan(0);
  expect(second.image).toEqual(first.image);
  expect(wireBytes(await build(context, { received }))).toBe(0);
});

test("parts that different targets copy are known and compared side by side", async () => {
  const dockerfile = "FROM scratch AS one\nCOPY one /\nFROM scratch AS two\nCOPY two /\n";
  using context = contextFolder({ Dockerfile: dockerfile, "one/a": "a", "two/b": "b" });
  const received = new MemoryStore();
  await build(context, { received, target: "one" });
  expect(wireBytes(await build(context, { received, target: "two" }))).toBeGreaterThan(0);
  expect(wireBytes(await build(context, { received, target: "one" }))).toBe(0);
  expect(wireBytes(await build(context, { received, target: "two" }))).toBe(0);
  context.write("one/a", "changed");
  await build(context, { received, target: "two" });
  expect((await build(context, { received, target: "one" })).image).toEqual(
    (await build(context, { target: "one" })).image,
  );
});

test("builds at once share a store without a session of the same id", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/a": "a" });
  const received = new MemoryStore();
  const { image } = await build(context, { received });
  const together = await Promise.all(Array.from({ length: 4 }, () => build(context, { received })));
  expect(together.map((built) => built.image)).toEqual([image, image, image, image]);
  // One of them may have taken it, and have found that another made the daemon begin anew.
  expect(together.filter((built) => wireBytes(built) === 0).length).toBeLessThanOrEqual(1);
});

test("a build that may not begin does not, though it has nothing to show", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/a": "a" });
  const received = new MemoryStore();
  await build(context, { received });
  const refusal = new BuilderError({ code: "INVALID_OPTIONS", message: "not today", details: { issues: [] } });
  const request = buildOf(context.path);
  const updates: StatusUpdate[] = [];
  const refused = real.client.solve(
    { ...request, session: { ...request.session, received, allowed: Promise.reject(refusal) } },
    { onStatus: (update) => updates.push(update) },
  );
  await expect(refused).rejects.toBe(refusal);
  expect(updates).toEqual([]);
  expect(wireBytes(await build(context, { received }))).toBe(0);
});

test("WRONG-CONTEXT: what 60 rounds of random changes build is what is there, however little the daemon asks for", async () => {
  using context = contextFolder({ Dockerfile: copyAll, "src/0": "0", ".dockerignore": "src/never" });
  const received = new MemoryStore();
  let seed = 7;
  const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  let unasked = 0;
  for (let round = 0; round < 60; round++) {
    const name = `src/${random(4)}`;
    const kind = random(5);
    if (kind === 0) context.write(name, `content ${random(3)}`);
    else if (kind === 1 && name !== "src/0") rmSync(join(context.path, name), { force: true });
    else if (kind === 2) chmodSync(join(context.path, "src/0"), random(2) === 0 ? 0o644 : 0o755);
    else if (kind === 3) context.write(".dockerignore", `src/${random(4)}`);
    const built = await build(context, { received });
    if (wireBytes(built) === 0) unasked += 1;
    // Under a key of its own, so that it leaves the daemon's copy of the files alone.
    const there = await build(context, { sharedKey: `round ${round}` });
    expect(built.image, `round ${round}`).toEqual(there.image);
  }
  expect(unasked).toBeGreaterThan(5);
});
