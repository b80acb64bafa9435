import { expect, it } from "vitest";

import type { Content } from "../__fixtures__/content.ts";
import { descriptorOf, indexType, manifestOf, manifestType } from "../__fixtures__/content.ts";
import { startLocalServer } from "../__fixtures__/local-server.ts";
import { computeDigest } from "../manifest.ts";
import { createRegistryClient } from "../registry-client.ts";
import type { ImageNode } from "./image-graph.ts";
import { readImage } from "./read-image-graph.ts";

const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: computeDigest(Buffer.from("{}")), size: 2 };
const amd64 = { platform: { os: "linux", architecture: "amd64" } };
const arm64 = { platform: { os: "linux", architecture: "arm64" } };
const [leaf, other] = ["leaf", "other"].map((name) =>
  manifestOf(manifestType, { config, layers: [], annotations: { name } }),
) as [Content, Content];

/** Indexes one within the other, the outermost last, each of which names the next one twice. */
function nested(levels: number): readonly Content[] {
  const contents = [leaf];
  for (let level = 0; level < levels; level++) {
    const inner = descriptorOf(contents.at(-1) as Content, level === 0 ? amd64 : {});
    contents.push(manifestOf(indexType, { manifests: [inner, inner] }));
  }
  return contents;
}

/** Reads the last one of some manifests from a registry that has them all. */
async function read(
  contents: readonly Content[],
  platforms?: readonly string[],
): Promise<{ readonly image: ImageNode | Error; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const manifests = new Map(contents.map((each) => [computeDigest(each.bytes), each]));
  const root = contents.at(-1) as Content;
  using server = await startLocalServer(({ url = "" }, response) => {
    const name = url.split("/").at(-1) ?? "";
    asked.push(name);
    const found = name === "1" ? root : manifests.get(name);
    if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": found.mediaType }).end(found.bytes);
  });
  await using client = createRegistryClient({ registry: server.host, retryDelaysMs: [] });
  const reference = { registry: server.host, repository: "app", tag: "1" };
  const { signal } = new AbortController();
  const image = await readImage({ client, reference, platforms, signal }).catch((error: unknown) => error as Error);
  return { image, asked };
}

it.each([undefined, ["linux/amd64"]])(
  "a manifest that indexes name twice is fetched once, for %s",
  async (platforms) => {
    const contents = nested(8);
    const root = contents.at(-1) as Content;
    const { image, asked } = await read(contents, platforms);
    expect(image).toMatchObject({ digest: computeDigest(root.bytes), bytes: root.bytes, original: true });
    expect(asked).toHaveLength(contents.length);
  },
);

it("indexes that are nested more deeply are refused", async () => {
  const { image } = await read(nested(9));
  expect(image).toMatchObject({ code: "REGISTRY_REFUSED" });
  expect((image as Error).message).toContain(`${computeDigest(leaf.bytes)} is not read: it lies below more than 8`);
});

it("an index that is named at many depths is refused where it is too deep", async () => {
  // The outermost names all, the innermost first: each is read at a depth that would do.
  const contents = nested(9);
  const all = contents.slice(0, -1).map((each) => descriptorOf(each));
  const { image } = await read([...contents, manifestOf(indexType, { manifests: all })]);
  expect(image).toMatchObject({ code: "REGISTRY_REFUSED" });
});

it("one that is named as a whole and by platform is both", async () => {
  const inner = manifestOf(indexType, { manifests: [descriptorOf(leaf, amd64), descriptorOf(other, arm64)] });
  // The second name does not tell that it is an index, so that nobody looks into it for platforms.
  const named = [descriptorOf(inner), descriptorOf({ ...inner, mediaType: manifestType }, amd64)];
  const root = manifestOf(indexType, { manifests: named });
  const { image, asked } = await read([leaf, other, inner, root], ["linux/amd64"]);
  const children = (image as ImageNode).children.map((node) => [node.original, node.children.length]);
  expect(children).toEqual([
    [false, 1],
    [true, 2],
  ]);
  expect(asked).toHaveLength(4);
});
