import { createHash } from "node:crypto";
import { readFile, readdir } from "node:fs/promises";
import { join, relative } from "node:path";

import type { BuildRequest } from "@slipway/core";

/** One hash of what a fake build is made of: every file of its folder, and the options that its digest depends on. */
export async function fakeIdentity(request: BuildRequest): Promise<string> {
  const { context, dockerfile, dockerfileInline, target, buildArgs, labels, platforms } = request;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([dockerfile, dockerfileInline, target, buildArgs, labels, platforms]));
  if (context.type === "directory") {
    const entries = await readdir(context.path, { recursive: true, withFileTypes: true });
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const path of paths.toSorted()) hash.update(`${relative(context.path, path)}\0`).update(await readFile(path));
  }
  return `sha256:${hash.digest("hex")}`;
}
