import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";

import { type TarEntry, encodeTarHeader, tarEnd, tarPadding } from "./tar-writer.ts";

interface TreeNode extends TarEntry {
  /** A file's contents: bytes, or the path of a file on this machine. */
  readonly contents?: Buffer | string;
}

/** Owner and mode of an entry; root's and 0644 (0755 for a directory) unless given. */
export interface EntryAttributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

/** An image layer in the making: paths are absolute, a later entry replaces an earlier one of the same path. */
export interface FileTree {
  addDirectory(path: string, attributes?: EntryAttributes): FileTree;
  addText(path: string, text: string, attributes?: EntryAttributes): FileTree;
  addLink(path: string, target: string): FileTree;
  addFile(path: string, source: string, attributes?: EntryAttributes): Promise<FileTree>;
  /** Adds what lies in a folder of this machine, except what `keep` refuses. `place` may move paths. */
  addFolder(
    source: string,
    options?: { keep?: (path: string) => boolean; place?: (path: string) => string },
  ): Promise<FileTree>;
  has(path: string): boolean;
  /** Writes the tree as an uncompressed layer, sorted and without times. */
  writeLayer(file: string): Promise<LayerFile>;
}

/** A written layer. */
export interface LayerFile {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Creates an empty tree. */
export function createFileTree(): FileTree {
  const nodes = new Map<string, TreeNode>();
  const put = (node: TreeNode): void => void nodes.set(node.path, node);
  const relative = (path: string): string => path.replace(/^\/+/, "");
  const tree: FileTree = {
    addDirectory(path, attributes = {}) {
      put({ mode: 0o755, ...attributes, path: relative(path), type: "directory" });
      return tree;
    },
    addText(path, text, attributes = {}) {
      const contents = Buffer.from(text);
      put({ mode: 0o644, ...attributes, path: relative(path), type: "file", sizeBytes: contents.length, contents });
      return tree;
    },
    addLink(path, target) {
      put({ mode: 0o777, path: relative(path), type: "symlink", linkTarget: target });
      return tree;
    },
    async addFile(path, source, attributes = {}) {
      const { size, mode } = await lstat(source);
      put({
        mode: mode & 0o7777,
        ...attributes,
        path: relative(path),
        type: "file",
        sizeBytes: size,
        contents: source,
      });
      return tree;
    },
    async addFolder(source, options = {}) {
      await addBelow(tree, source, "", options.keep ?? (() => true), options.place ?? ((path) => path));
      return tree;
    },
    has: (path) => nodes.has(relative(path)),
    writeLayer: (file) => writeLayer(withParents(nodes), file),
  };
  return tree;
}

async function addBelow(
  tree: FileTree,
  source: string,
  folder: string,
  keep: (path: string) => boolean,
  place: (path: string) => string,
): Promise<void> {
  for (const entry of await readdir(join(source, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (!keep(path)) continue;
    if (entry.isDirectory()) await addBelow(tree, source, path, keep, place);
    else if (entry.isSymbolicLink()) tree.addLink(place(path), await readlink(join(source, path)));
    else if (entry.isFile()) await tree.addFile(place(path), join(source, path));
  }
}

function withParents(nodes: ReadonlyMap<string, TreeNode>): readonly TreeNode[] {
  const all = new Map(nodes);
  for (const path of nodes.keys()) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const parent = path.slice(0, end);
      if (!all.has(parent)) all.set(parent, { path: parent, type: "directory", mode: 0o755 });
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function writeLayer(nodes: readonly TreeNode[], file: string): Promise<LayerFile> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  await using handle = await open(file, "w");
  for await (const chunk of layerChunks(nodes)) {
    hash.update(chunk);
    sizeBytes += chunk.length;
    await handle.writeFile(chunk);
  }
  return { digest: `sha256:${hash.digest("hex")}`, sizeBytes };
}

async function* layerChunks(nodes: readonly TreeNode[]): AsyncGenerator<Buffer> {
  for (const node of nodes) {
    yield encodeTarHeader(node);
    if (node.contents === undefined) continue;
    if (typeof node.contents === "string")
      yield* createReadStream(node.contents, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>;
    else yield node.contents;
    yield tarPadding(node.sizeBytes ?? 0);
  }
  yield tarEnd();
}
