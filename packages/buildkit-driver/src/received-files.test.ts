import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { receivedFilesStore } from "./received-files.ts";

const received = {
  session: "a",
  walks: [
    {
      name: "context",
      filter: { include: [], exclude: ["node_modules"], followPaths: ["src"] },
      digest: "d",
      files: 1,
      totalBytes: 2,
    },
  ],
};

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "slipway-received-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("what one process keeps another takes, for the same pod and context only", async () => {
  await receivedFilesStore("pod", "key", folder).keep(received);
  expect(await receivedFilesStore("other", "key", folder).take()).toBeUndefined();
  expect(await receivedFilesStore("pod", "other", folder).take()).toBeUndefined();
  expect(await receivedFilesStore("pod", "key", folder).take()).toEqual(received);
});

test("of many that take it at once one gets it", async () => {
  await receivedFilesStore("pod", "key", folder).keep(received);
  const takers = Array.from({ length: 20 }, () => receivedFilesStore("pod", "key", folder));
  const taken = await Promise.all(takers.map((store) => store.take()));
  expect(taken.filter((value) => value !== undefined)).toEqual([received]);
  expect(readdirSync(folder)).toEqual([]);
});

test("nobody else can read it", async () => {
  await receivedFilesStore("pod", "key", join(folder, "new")).keep(received);
  const [name = ""] = readdirSync(join(folder, "new"));
  expect(statSync(join(folder, "new", name)).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "new")).mode & 0o777).toBe(0o700);
});

test.each(["", "{", '{"session":1,"walks":[]}', '{"session":"a","walks":[],"more":1}'])(
  "a damaged file is as good as none: %j",
  async (text) => {
    const store = receivedFilesStore("pod", "key", folder);
    await store.keep(received);
    const [name = ""] = readdirSync(folder);
    writeFileSync(join(folder, name), text);
    expect(await store.take()).toBeUndefined();
  },
);

test("a folder that cannot be written to costs nothing else", async () => {
  writeFileSync(join(folder, "file"), "");
  const store = receivedFilesStore("pod", "key", join(folder, "file"));
  await store.keep(received);
  expect(await store.take()).toBeUndefined();
});

test("what nobody uses any more is removed", async () => {
  const old = new Date(Date.now() - 15 * 24 * 60 * 60 * 1000);
  for (const name of ["gone.json", "gone.json.0123"]) {
    writeFileSync(join(folder, name), "");
    utimesSync(join(folder, name), old, old);
  }
  const store = receivedFilesStore("pod", "key", folder);
  await store.take();
  await store.keep(received);
  expect(readdirSync(folder)).toHaveLength(1);
});
