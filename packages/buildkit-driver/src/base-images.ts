import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { BuildRequest } from "@slipway/core";
import { dockerfileImages } from "@slipway/registry-client";

/** The images that the build's Dockerfile names, as far as that can be read here. */
export async function baseImages(request: BuildRequest): Promise<readonly string[]> {
  const { context, contexts, dockerfile: path, dockerfileInline, buildArgs } = request;
  const text =
    dockerfileInline ??
    (context.type === "directory" ? await readFile(join(context.path, path), "utf8").catch(() => "") : "");
  const further = Object.values(contexts).flatMap((other) => (other.type === "image" ? [other.reference] : []));
  return [...(await dockerfileImages(text, { buildArgs, contexts: Object.keys(contexts) })), ...further];
}
