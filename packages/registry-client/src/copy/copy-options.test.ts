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
