import { describe, expect, it } from "vitest";

import { kanikoDriver } from "./kaniko-driver.ts";

describe("the repository of the cache", () => {
  it.each(["r.example.com/c", "r.example.com:5000/team/c", "localhost:5000/c", "c"])("is %s", (repository) => {
    expect(() => kanikoDriver({ cache: { repository } })).not.toThrow();
  });

  it.each([
    "r.example.com/c:tag",
    "r.example.com:5000/c:tag",
    "c:tag",
    `r.example.com/c@sha256:${"0".repeat(64)}`,
    `r.example.com:5000/c:tag@sha256:${"0".repeat(64)}`,
  ])("is not %s, to which kaniko would add another tag", (repository) => {
    expect(() => kanikoDriver({ cache: { repository } })).toThrow(/cache\.repository.*without a tag or digest/);
  });
});
