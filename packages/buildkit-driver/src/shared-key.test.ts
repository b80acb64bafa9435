import { expect, it } from "vitest";

import { sharedKey } from "./shared-key.ts";

const directory = (path: string) => ({ type: "directory", path }) as const;

it("is the same for the same folder, however it is written", () => {
  expect(sharedKey(directory("/projects/api"), "laptop")).toBe(
    sharedKey(directory("/projects/../projects/api/"), "laptop"),
  );
});

it("tells folders of one name, and machines, apart", () => {
  const keys = [
    sharedKey(directory("/a/api"), "laptop"),
    sharedKey(directory("/b/api"), "laptop"),
    sharedKey(directory("/a/api"), "ci"),
  ];
  expect(new Set(keys).size).toBe(3);
});

it("names no folder for a context that is none", () => {
  expect(sharedKey({ type: "http", url: "https://example.com/context.tar" }, "laptop")).toBe("");
});
