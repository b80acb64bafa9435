import { expect, it } from "vitest";

import { parseCopyOptions } from "./copy-options.ts";

const source = "registry.example.com/team/app:1";

it("destinations of one repository are one, under all their tags", () => {
  const destinations = ["a.example.com/x:1", "b.example.com/y", "a.example.com/x:latest"];
  expect(parseCopyOptions({ source, destinations, versionTag: "v-1" })).toEqual({
    source: { registry: "registry.example.com", repository: "team/app", tag: "1" },
    destinations: [
      { registry: "a.example.com", repository: "x", names: [destinations[0], destinations[2]], tags: ["1", "latest"] },
      { registry: "b.example.com", repository: "y", names: [destinations[1]], tags: ["v-1"] },
    ],
    order: [0, 1, 0],
  });
});

it.each([
  ["no destination", { destinations: [] }, /at least one/],
  ["a destination without a tag", { destinations: ["a.example.com/x"] }, /no tag, and there is no versionTag/],
  ["a digest", { destinations: [`a.example.com/x@sha256:${"a".repeat(64)}`] }, /has a digest/],
  ["a version that is no tag", { destinations: ["a.example.com/x"], versionTag: "a b" }, /is no tag/],
  ["an empty choice of platforms", { destinations: ["a.example.com/x:1"], platforms: [] }, /platforms/],
  ["a destination that is no reference", { destinations: ["https://a.example.com/x:1"] }, /scheme/],
])("%s is refused", (_name, options, message) => {
  expect(() => parseCopyOptions({ source, ...options })).toThrow(message);
});
