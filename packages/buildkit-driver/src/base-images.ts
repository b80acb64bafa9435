import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { BuildRequest } from "@slipway/core";
import { dockerfileImages, isImageReference } from "@slipway/registry-client";

/** The images that the build's Dockerfile names, as far as that can be read here. */
export async function baseImages(request: BuildRequest): Promise<readonly string[]> {
  const { contexts, buildArgs } = request;
  const images = await dockerfileImages(await readDockerfile(request), { buildArgs, contexts: Object.keys(contexts) });
  return [...images, ...contextImages(request)];
}

/** Words behind `FROM` and `from=` that look like images: stages are among them, and no parser has to be loaded. */
export async function possibleBaseImages(request: BuildRequest): Promise<readonly string[]> {
  const text = await readDockerfile(request);
  const words = [...text.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)|\bfrom=([^\s,]+)/gim)];
  const names = words.map(([, base, from]) => base ?? from ?? "");
  return [...names, ...contextImages(request)].filter(isImageReference);
}

function contextImages({ contexts }: BuildRequest): readonly string[] {
  return Object.values(contexts).flatMap((context) => (context.type === "image" ? [context.reference] : []));
}

async function readDockerfile({ context, dockerfile, dockerfileInline }: BuildRequest): Promise<string> {
  if (dockerfileInline !== undefined) return dockerfileInline;
  if (context.type !== "directory") return "";
  return readFile(join(context.path, dockerfile), "utf8").catch(() => "");
}
