import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import {
  appendFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import type { ArchiveSink } from "@slipway/core";
import { BuilderError } from "@slipway/core";
import { expect, test } from "vitest";

import type { ContextFolder } from "./__fixtures__/context-folder.ts";
import { contextFolder } from "./__fixtures__/context-folder.ts";
import { useDaemon } from "./__fixtures__/real-daemon.ts";
import { buildOf } from "./__fixtures__/requests.ts";
import { readTar } from "./__fixtures__/tar-reader.ts";
import type { SolveResponse, TransferProgress } from "./solve/solve-request.ts";
import type { StatusUpdate } from "./solve/status-update.ts";

const base = 'FROM scratch AS base\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n';
const real = useDaemon();

function folder(dockerfile: string, files: Readonly<Record<string, string>> = {}): ContextFolder {
  const context = contextFolder({ Dockerfile: dockerfile, ...files });
  context.write("busybox", real.daemon.busybox, 0o755);
  return context;
}

async function failureOf(promise: Promise<unknown>): Promise<BuilderError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!BuilderError.isInstance(error)) throw new Error(`Expected a BuilderError, got ${String(error)}`);
  return error;
}

function archiveSink(): { sink: ArchiveSink; read: () => ReturnType<typeof readTar> } {
  const chunks: Uint8Array[] = [];
  const sink: ArchiveSink = async (archive) => {
    for await (const chunk of archive) chunks.push(chunk);
  };
  return { sink, read: () => readTar(Buffer.concat(chunks)) };
}

const wireBytes = ({ transfers }: SolveResponse) => transfers.reduce((sum, transfer) => sum + transfer.wireBytes, 0);

const walkOfContext = (transfers: readonly TransferProgress[]) =>
  transfers.find((walk) => walk.name === "context" && walk.paths[0] !== ".dockerignore");

test("says what the daemon is and on which platforms it builds", async () => {
  expect((await real.client.info()).version).toMatch(/^v\d+\.\d+\.\d+/);
  expect((await real.client.listWorkers())[0]?.platforms[0]).toMatch(/^linux\//);
});

test("builds a Dockerfile and reports its steps, their output and its warnings", async () => {
  using context = folder(`${base}ENV key value\nRUN echo out; echo äöü >&2\n`);
  const updates: StatusUpdate[] = [];
  await real.client.solve(buildOf(context.path), { onStatus: (update) => updates.push(update) });
  const logs = updates.flatMap((update) => update.logs);
  expect(
    logs
      .filter(({ stream }) => stream === "stdout")
      .map(({ text }) => text)
      .join(""),
  ).toBe("out\n");
  expect(
    logs
      .filter(({ stream }) => stream === "stderr")
      .map(({ text }) => text)
      .join(""),
  ).toBe("äöü\n");
  const run = updates.flatMap((update) => update.vertices).findLast(({ name }) => name.includes("RUN echo out"));
  expect(run?.cached).toBe(false);
  expect(run?.completedMs).toBeGreaterThanOrEqual(run?.startedMs ?? Infinity);
  expect(Math.abs((run?.startedMs ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(updates.flatMap((update) => update.warnings)[0]).toMatchObject({ file: "Dockerfile", line: 4 });
});

test("sends one file when one of 300 changed, and the unchanged steps are cached", async () => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`src/${index}.txt`, `file ${index}`]));
  using context = folder(`${base}COPY src /src\n`, files);
  const first = await real.client.solve(buildOf(context.path));
  expect(walkOfContext(first.transfers)).toMatchObject({ files: 301, sentFiles: 301 });
  appendFileSync(join(context.path, "src/7.txt"), "!");
  const updates: StatusUpdate[] = [];
  const second = await real.client.solve(buildOf(context.path), { onStatus: (update) => updates.push(update) });
  expect(walkOfContext(second.transfers)).toMatchObject({ files: 301, sentFiles: 1, sentBytes: "file 7!".length });
  const run = updates.flatMap((update) => update.vertices).findLast(({ name }) => name.includes("RUN"));
  expect(run?.cached).toBe(true);
  const third = await real.client.solve(buildOf(context.path));
  expect(walkOfContext(third.transfers)).toMatchObject({ files: 301, sentFiles: 0, sentBytes: 0 });
  // What the changed file cost: its content and the frames around it.
  expect(wireBytes(second) - wireBytes(third)).toBeLessThan(64);
});

test.each([
  [
    "a failing command",
    "RUN echo one; exit 7\n",
    { exitCode: 7, location: { file: "Dockerfile", line: 4 }, logTail: "one\n" },
  ],
  ["a command that ends 137 by itself", "RUN exit 137\n", { exitCode: 137 }],
  ["an unknown instruction", "FOO bar\n", { location: { file: "Dockerfile", line: 4 }, logTail: "" }],
  [
    "a file that is not there",
    "COPY nope /\n",
    { step: "[3/3] COPY nope /", location: { file: "Dockerfile", line: 4 } },
  ],
])("explains %s", async (_what, dockerfile, details) => {
  using context = folder(base + dockerfile);
  const error = await failureOf(real.client.solve(buildOf(context.path)));
  expect(error.code).toBe("BUILD_FAILED");
  expect(error.details).toMatchObject(details);
});

test("explains a failure that is too long for HTTP/2 trailers, and the connection lives on", async () => {
  using context = folder(`${base}${"# a long comment\n".repeat(8000)}RUN exit 9\n`);
  const error = await failureOf(real.client.solve(buildOf(context.path)));
  expect(error.details).toMatchObject({ exitCode: 9, location: { file: "Dockerfile", line: 8004 } });
  expect((await real.client.info()).version).toBeDefined();
});

test("explains a missing Dockerfile and a missing folder", async () => {
  using context = contextFolder();
  expect(await failureOf(real.client.solve(buildOf(context.path)))).toMatchObject({
    code: "CONTEXT_INVALID",
    details: { path: "Dockerfile" },
  });
  const missing = join(context.path, "missing");
  expect(await failureOf(real.client.solve(buildOf(missing)))).toMatchObject({
    code: "CONTEXT_INVALID",
    details: { path: missing },
  });
});

test("explains a registry that does not answer", async () => {
  using context = folder("FROM 127.0.0.1:9/team/image:1\n");
  const error = await failureOf(real.client.solve(buildOf(context.path)));
  expect(error).toMatchObject({ code: "REGISTRY_UNAVAILABLE", details: { registry: "127.0.0.1:9" } });
});

test("cancels: the command in the daemon is dead when the call settles", async () => {
  using context = folder(`${base}RUN echo started; sleep 7654321\n`);
  const controller = new AbortController();
  const started = Promise.withResolvers<undefined>();
  const build = failureOf(
    real.client.solve(buildOf(context.path), {
      signal: controller.signal,
      onStatus: ({ logs }) => logs.some(({ text }) => text.includes("started")) && started.resolve(undefined),
    }),
  );
  await started.promise;
  expect(await real.daemon.processes()).toContain("sleep 7654321");
  const startMs = performance.now();
  controller.abort(new Error("enough"));
  expect(await build).toMatchObject({ code: "ABORTED", details: { reason: "enough" } });
  expect(performance.now() - startMs).toBeLessThan(3000);
  expect(await real.daemon.processes()).not.toContain("sleep 7654321");
});

test("gives secrets to the steps that ask, with a Dockerfile from memory", async () => {
  using context = folder("");
  const mount = "--mount=type=secret,id=token --mount=type=secret,id=unknown";
  const dockerfile = `${base}RUN ${mount} test "$(cat /run/secrets/token)" = s3cret && ! test -e /run/secrets/unknown\n`;
  const { session } = buildOf(context.path);
  const localDirectories = { context: context.path, dockerfile: { Dockerfile: dockerfile } };
  const secrets = (id: string) => Promise.resolve(id === "token" ? Buffer.from("s3cret") : undefined);
  await real.client.solve(buildOf(context.path, { session: { ...session, localDirectories, secrets } }));
});

test("takes a whole context from memory, and asks again only for what changed", async () => {
  const files = {
    Dockerfile: "FROM scratch\nCOPY . /\n",
    ".dockerignore": "Dockerfile\n*.log",
    "a/b/c": "abc",
    "a.txt": "a",
    "x.log": "",
  };
  const build = async (context: Record<string, string>) => {
    const archive = archiveSink();
    const { session } = buildOf("from memory");
    const localDirectories = { context, dockerfile: context };
    const request = {
      session: { ...session, localDirectories },
      exporters: [{ type: "tar", attributes: {}, sink: archive.sink }],
    };
    const response = await real.client.solve(buildOf("from memory", request));
    return { paths: [...archive.read().keys()].sort(), walk: walkOfContext(response.transfers) };
  };
  const first = await build(files);
  expect(first.paths).toEqual([".dockerignore", "a", "a.txt", "a/b", "a/b/c"]);
  expect((await build({ ...files, "a.txt": "b" })).walk).toMatchObject({ files: 3, sentFiles: 1, sentBytes: 1 });
});

test("leaves a context as it is: every type of file, mode, time and link arrives", async () => {
  using context = contextFolder({
    "in/a.txt": "a",
    "in/empty": "",
    "in/dir/deep/x": "x",
    "in/foo-bar": "1",
    "in/foo/x": "2",
    "in/foo.txt": "3",
  });
  const at = (name: string) => join(context.path, "in", name);
  makeTorture(context, at);
  // Times are not part of BuildKit's cache keys: without new content an image of an earlier run would come.
  context.write("in/unique", randomUUID());
  context.write("Dockerfile", "FROM scratch\nCOPY in /\n");
  const { sink, read } = archiveSink();
  await real.client.solve(buildOf(context.path, { exporters: [{ type: "tar", attributes: {}, sink }] }));
  const built = read();
  const names = readdirSync(at(""), { recursive: true, encoding: "utf8" });
  expect([...built.keys()].sort()).toEqual(names.sort());
  for (const name of names) {
    const stats = lstatSync(at(name), { bigint: true });
    const entry = built.get(name);
    expect([name, entry?.mode, entry?.uid]).toEqual([name, Number(stats.mode) & 0o7777, 0]);
    if (!stats.isDirectory() && entry?.type !== "1")
      expect([name, entry?.mtimeSeconds]).toEqual([name, Math.round(Number(stats.mtimeNs) / 1e9)]);
  }
  expect(built.get("hard-b")).toMatchObject({ type: "1", linkname: "hard-a" });
  expect(built.get("dangling")).toMatchObject({ type: "2", linkname: "../nowhere" });
  expect(built.get("pipe")?.type).toBe("6");
  if (isRoot) expect(built.get("null")).toMatchObject({ type: "3", devMajor: 1, devMinor: 3 });
  expect(built.get("large")?.sha256).toBe(createHash("sha256").update(largeContent).digest("hex"));
});

const isRoot = process.getuid?.() === 0;
const largeContent = Buffer.alloc(3_000_001, "large content ");

function makeTorture(context: ContextFolder, at: (name: string) => string): void {
  context.write("in/setuid", "s", 0o755);
  execFileSync("chmod", ["6755", at("setuid")]);
  mkdirSync(at("sticky"));
  execFileSync("chmod", ["1777", at("sticky")]);
  symlinkSync("a.txt", at("relative"));
  symlinkSync("/etc/absolute", at("absolute"));
  symlinkSync("../nowhere", at("dangling"));
  context.write("in/hard-a", "hard");
  linkSync(at("hard-a"), at("hard-b"));
  mkdirSync(at("other"));
  linkSync(at("hard-a"), at("other/hard-c"));
  execFileSync("mknod", [at("pipe"), "p"]);
  if (isRoot) execFileSync("mknod", [at("null"), "c", "1", "3"]);
  if (isRoot) lchownSync(at("a.txt"), 1234, 1234);
  context.write(`in/${"d".repeat(200)}/${"e".repeat(200)}/${"f".repeat(200)}`, "long");
  for (const name of ["\uff21", "\u{1f600}", "ä", "Z", "a b", "comma,comma", "percent%20+"])
    context.write(`in/${name}`, name);
  context.write("in/large", largeContent);
  utimesSync(at("a.txt"), 1_000_000_000.5, 1_000_000_000.25);
  utimesSync(at("empty"), 0, 0);
}

test("follows symbolic links that a COPY names, and heeds .dockerignore with more than 128 patterns", async () => {
  const ignored = Array.from({ length: 400 }, (_, index) => `ignored-${index},a b+%2B`).join("\n");
  using context = contextFolder({
    ".dockerignore": `${ignored}\nreal/skip\n*.log\n!keep.log\n`,
    Dockerfile: "FROM scratch\nCOPY link /linked\nCOPY *.log /logs/\n",
    "real/file": "content",
    "real/skip": "skipped",
    "drop.log": "",
    "keep.log": "",
    "unrelated/file": "",
  });
  symlinkSync("real", join(context.path, "link"));
  const { sink, read } = archiveSink();
  const response = await real.client.solve(
    buildOf(context.path, { exporters: [{ type: "tar", attributes: {}, sink }] }),
  );
  expect([...read().keys()].sort()).toEqual(["linked", "linked/file", "logs", "logs/keep.log"]);
  expect(walkOfContext(response.transfers)).toMatchObject({ files: 2, sentFiles: 2 });
});

test("stops the daemon while a sink does not read, and keeps what a sink threw", async () => {
  using context = contextFolder({ Dockerfile: "FROM scratch\nCOPY large /\n" });
  context.write("large", Buffer.alloc(20_000_000, "x"));
  let receivedBytes = 0;
  const slow = async (archive: AsyncIterable<Uint8Array>) => {
    for await (const chunk of archive) {
      if (receivedBytes === 0) await delay(300);
      receivedBytes += chunk.length;
    }
  };
  await real.client.solve(buildOf(context.path, { exporters: [{ type: "tar", attributes: {}, sink: slow }] }));
  expect(receivedBytes).toBeGreaterThan(20_000_000);
  const full = () =>
    Promise.reject(
      new BuilderError({ code: "DISK_FULL", message: "The disk is full.", details: { namespace: "", events: [] } }),
    );
  const build = real.client.solve(buildOf(context.path, { exporters: [{ type: "tar", attributes: {}, sink: full }] }));
  expect(await failureOf(build)).toMatchObject({ code: "DISK_FULL" });
});

test("lists its cache and drops it", async () => {
  const before = await real.client.diskUsage();
  expect(before.length).toBeGreaterThan(0);
  const pruned = await real.client.prune({ all: true });
  expect(pruned.length).toBeGreaterThan(0);
  expect((await real.client.diskUsage()).length).toBeLessThan(before.length);
});
