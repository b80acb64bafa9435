import { expect, test } from "vitest";

import { contextFolder } from "./__fixtures__/context-folder.ts";
import { receiveFiles } from "./__fixtures__/packets.ts";
import { buildOf } from "./__fixtures__/requests.ts";
import type { SolveScript } from "./__fixtures__/scripted-daemon.ts";
import { scriptedDaemon } from "./__fixtures__/scripted-daemon.ts";
import { connectBuildkit } from "./buildkit-client.ts";
import type { FileFilter } from "./file-sync/file-source.ts";
import { PreparedDirectory } from "./file-sync/prepared-directory.ts";
import { WorkerWalk } from "./file-sync/worker-walk.ts";
import { prepareContext } from "./prepare-context.ts";

const everything: FileFilter = { include: [], exclude: [], followPaths: [] };

/** Walks twice, as the daemon does: for .dockerignore, then for the context, of which it wants some files. */
const script: SolveScript = async (session) => {
  await receiveFiles(session, "context", { followpaths: [".dockerignore"] });
  const { paths, content } = await receiveFiles(session, "context", {}, (path) => path.endsWith("x"));
  return { paths: paths.join(" "), content: [...content].map(([path, bytes]) => `${path}=${String(bytes)}`).join(" ") };
};

async function build(context: string | PreparedDirectory) {
  await using client = await connectBuildkit(scriptedDaemon(script).stream);
  const { session } = buildOf("");
  return await client.solve(buildOf("", { session: { ...session, localDirectories: { context } } }));
}

test("a directory that was prepared is shown and sent like one that was not", async () => {
  const files = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`d${index % 7}/f${index}`, "y"]));
  using context = contextFolder({ ...files, "a/ax": "1", zx: "22", "ä/öx": "333" });
  using prepared = new PreparedDirectory(context.path, everything);
  const [expected, found] = [await build(context.path), await build(prepared)];
  expect(found.exporterResponse).toEqual(expected.exporterResponse);
  expect(found.exporterResponse["content"]).toBe("a/ax=1 zx=22 ä/öx=333");
  expect(found.transfers.map(({ id: _, ...transfer }) => transfer)).toEqual(
    expected.transfers.map(({ id: _, ...transfer }) => transfer),
  );
});

test("the walk that was begun counts once, and only for what was expected", async () => {
  using context = contextFolder({ a: "" });
  using prepared = new PreparedDirectory(context.path, everything);
  expect(prepared.walk({ ...everything, exclude: ["a"] })).not.toBeInstanceOf(WorkerWalk);
  expect(prepared.walk(everything)).toBeInstanceOf(WorkerWalk);
  expect(prepared.walk(everything)).not.toBeInstanceOf(WorkerWalk);
});

test("what the thread cannot read is told as the build itself tells it", async () => {
  using prepared = new PreparedDirectory("/nowhere/at/all", everything);
  const [expected, found] = await Promise.all(
    [build("/nowhere/at/all"), build(prepared)].map((building) => building.catch((error: unknown) => error)),
  );
  expect(found).toMatchObject({ code: "CONTEXT_INVALID" });
  expect(found).toEqual(expected);
});

test("a walk is begun for a large context of which the Dockerfile tells what it copies", async () => {
  const files = Object.fromEntries(Array.from({ length: 2100 }, (_, index) => [`src/d${index % 7}/f${index}`, ""]));
  using context = contextFolder({ ...files, "small/file": "" });
  const prepare = (dockerfile: string) => prepareContext(context.path, { dockerfile, dockerignore: "x" });
  using prepared = await prepare("FROM a\nCOPY src /");
  if (!(prepared instanceof PreparedDirectory)) throw new Error("No walk was begun.");
  expect(prepared.walk({ include: [], exclude: ["x"], followPaths: ["src"] })).toBeInstanceOf(WorkerWalk);
  expect(await prepare("FROM a\nCOPY small /")).toBeUndefined();
  expect(await prepare("FROM a\nCOPY $src /")).toBeUndefined();
});
