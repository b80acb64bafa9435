import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createFileTree } from "./file-tree.ts";
import { blobPath, readImageLayout, writeImageLayout } from "./image-layout.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "slipway-layout-"))));
afterEach(() => rmSync(folder, { recursive: true }));

async function write(name: string, text: string, base?: string): Promise<string> {
  const layout = join(folder, name);
  const tree = createFileTree().addText("/etc/b", text).addText("/etc/a", "a").addLink("/etc/l", "a");
  const image = { reference: "localhost/x:1", tree, config: { Cmd: ["sh"] } };
  await writeImageLayout(layout, base === undefined ? image : { ...image, base });
  return layout;
}

describe("writeImageLayout", () => {
  it("gives the same digest for the same contents, and another for others", async () => {
    const digests = [];
    for (const [name, text] of [
      ["one", "b"],
      ["two", "b"],
      ["three", "c"],
    ] as const) {
      digests.push((await readImageLayout(await write(name, text))).descriptor.digest);
    }
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });

  it("puts the base's layers below its own and names every layer in the configuration", async () => {
    const base = await write("base", "b");
    const layout = await write("child", "c", base);
    const { manifest } = await readImageLayout(layout);
    const below = (await readImageLayout(base)).manifest.layers;
    expect(manifest.layers).toHaveLength(2);
    expect(manifest.layers[0]).toEqual(below[0]);
    const config = JSON.parse(readFileSync(blobPath(layout, manifest.config.digest), "utf8")) as {
      rootfs: { diff_ids: string[] };
    };
    expect(config.rootfs.diff_ids).toEqual(manifest.layers.map(({ digest }) => digest));
    for (const { digest, size } of manifest.layers) expect(readFileSync(blobPath(layout, digest))).toHaveLength(size);
  });
});
