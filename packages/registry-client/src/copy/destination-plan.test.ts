import { expect, it } from "vitest";

import type { RegistryClient } from "../registry-client.ts";
import { planDestination } from "./destination-plan.ts";
import type { ImageNode } from "./image-graph.ts";

function node(digest: string, children: readonly ImageNode[] = []): ImageNode {
  const blob = { mediaType: "", digest: `layer of ${digest}`, sizeBytes: 1, annotations: {} };
  const content = { children: [], configs: [], blobs: children.length > 0 ? [] : [blob], subject: undefined };
  return { mediaType: "", digest, bytes: new Uint8Array(), content, children, original: true };
}

it("a manifest that an image names at two depths is part of what is missing, with its layers", async () => {
  // Each place of it is a node of its own.
  const root = node("root", [node("inner", [node("shared")]), node("shared"), node("other")]);
  const asked: string[] = [];
  const client: Partial<RegistryClient> = {
    headManifest: (reference) => {
      asked.push(typeof reference === "string" ? reference : (reference.digest ?? ""));
      return Promise.resolve(undefined);
    },
  };
  const name = { registry: "r", repository: "app", tags: [], names: [] };
  const { signal } = new AbortController();
  const graph = { root, referrers: [], digestTags: [] };
  const sought = { starts: [root], known: new Set<string>() };
  const plan = await planDestination(client as RegistryClient, name, graph, sought, signal);
  expect(plan.nodes.map(({ digest }) => digest)).toEqual(["shared", "inner", "other", "root"]);
  expect(plan.blobs.map(({ digest }) => digest).toSorted()).toEqual(["layer of other", "layer of shared"]);
  expect(asked.toSorted()).toEqual(["inner", "other", "root", "shared"]);
});
