import { describe, expect, it } from "vitest";

import { exporters } from "./exporters.ts";
import { pushedReferences, withoutTag } from "./pushed-references.ts";

const tags = ["registry.example.com/team/api:v1", "other.example.com:5000/api:v1"];
const digest = `sha256:${"a".repeat(64)}`;
const sink = (): Promise<void> => Promise.resolve();

describe("exporters", () => {
  it("pushes under every tag", () => {
    expect(exporters({ outputs: [{ type: "push" }], tags })).toEqual([
      { type: "image", attributes: { name: tags.join(","), push: "true" } },
    ]);
  });

  it("pushes by digest under the repositories", () => {
    expect(exporters({ outputs: [{ type: "push", byDigest: true }], tags })).toEqual([
      {
        type: "image",
        attributes: {
          name: "registry.example.com/team/api,other.example.com:5000/api",
          push: "true",
          "push-by-digest": "true",
        },
      },
    ]);
  });

  it.each(["oci", "docker"] as const)("writes an archive of type %s with its names", (type) => {
    expect(exporters({ outputs: [{ type, destination: sink }], tags })).toEqual([
      { type, attributes: { name: tags.join(",") }, sink },
    ]);
  });

  it("makes nothing for the cache alone", () => {
    expect(exporters({ outputs: [{ type: "cache-only" }], tags: [] })).toEqual([]);
  });
});

describe("pushedReferences", () => {
  it.each([
    [[{ type: "push" }], tags],
    [[{ type: "push", byDigest: true }], tags.map((tag) => `${withoutTag(tag)}@${digest}`)],
    [[{ type: "push", byDigest: true }, { type: "push" }], tags],
    [[{ type: "cache-only" }], []],
  ] as const)("of %j", (outputs, expected) => {
    expect(pushedReferences(outputs, tags, digest)).toEqual(expected);
  });
});
