import { EventEmitter } from "node:events";

import { expect, test, vi } from "vitest";

import { contextFolder } from "../__fixtures__/context-folder.ts";
import { PreparedDirectory } from "./prepared-directory.ts";

/** A thread whose file a bundler has left behind. */
vi.mock("node:worker_threads", () => ({
  Worker: class extends EventEmitter {
    constructor() {
      super();
      setImmediate(() => {
        this.emit("error", new Error("Cannot find module"));
        this.emit("exit", 1);
      });
    }

    unref(): void {
      // It does not run.
    }

    terminate(): void {
      // It does not run.
    }
  },
}));

const filter = { include: [], exclude: [], followPaths: [] };

test("where no thread can be started the walk is made here", async () => {
  using context = contextFolder({ "a/b": "" });
  using prepared = new PreparedDirectory(context.path, filter);
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  const walk = prepared.walk(filter);
  expect(walk.next()).toMatchObject({ files: 1 });
  expect(walk.next()).toBeUndefined();
});

test("so it is when that shows only after the daemon has asked", async () => {
  using context = contextFolder({ "a/b": "" });
  using prepared = new PreparedDirectory(context.path, filter);
  const walk = prepared.walk(filter);
  expect(walk.next()).toBe("later");
  await walk.ready();
  expect(walk.next()).toMatchObject({ files: 1 });
  expect(walk.next()).toBeUndefined();
});
