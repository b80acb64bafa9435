import { expect, it } from "vitest";

import type { ImageNode } from "./image-graph.ts";
import { blobsOf, levelsOf, orderedNodes } from "./image-graph.ts";

const node = (
  digest: string,
  children: readonly ImageNode[] = [],
  subject?: string,
  blobs: readonly [string, number][] = [],
): ImageNode => ({
  mediaType: "",
  digest,
  bytes: new Uint8Array(),
  content: {
    children: [],
    configs: [],
    blobs: blobs.map(([name, sizeBytes]) => ({ mediaType: "", digest: name, sizeBytes, annotations: {} })),
    subject,
  },
  children,
  original: true,
});

const amd64 = node("amd64", [], undefined, [
  ["base", 5],
  ["app", 9],
]);
const arm64 = node("arm64", [], undefined, [
  ["base", 5],
  ["app-arm", 7],
]);
const nested = node("nested", [arm64]);
const root = node("root", [amd64, nested]);
const sbom = node("sbom", [], "root");
const signature = node("signature", [], "sbom");
const graph = { root, referrers: [sbom, signature], digestTags: [{ tag: "t", node: amd64 }] };

it("orders children before parents, and referrers after what they refer to", () => {
  expect(orderedNodes(graph).map(({ digest }) => digest)).toEqual([
    "amd64",
    "arm64",
    "nested",
    "root",
    "sbom",
    "signature",
  ]);
  expect(levelsOf(orderedNodes(graph)).map((level) => level.map(({ digest }) => digest))).toEqual([
    ["amd64", "arm64"],
    ["nested"],
    ["root"],
    ["sbom"],
    ["signature"],
  ]);
});

it("names each blob once, the largest first", () => {
  expect(blobsOf([amd64, arm64]).map(({ digest }) => digest)).toEqual(["app", "app-arm", "base"]);
});

it("walks what indexes name at each level again only once", () => {
  let level = [node("left-0"), node("right-0")];
  for (let depth = 1; depth <= 40; depth++) level = ["left", "right"].map((side) => node(`${side}-${depth}`, level));
  expect(orderedNodes({ root: node("root", level), referrers: [], digestTags: [] })).toHaveLength(2 * 41 + 1);
});
