import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { BuildRequest } from "@slipway/core";
import { dockerfileImages, isImageReference } from "@slipway/registry-client";

/** Images that a build reads. */
export interface BaseImages {
  readonly references: readonly string[];
  /** Whether the Dockerfile could be read here: that of a context from elsewhere is seen by the daemon alone. */
  readonly isComplete: boolean;
}

/** The images that the build's Dockerfile names, as far as that can be read here. */
export async function baseImages(request: BuildRequest): Promise<BaseImages> {
  const { contexts, buildArgs } = request;
  const dockerfile = await readDockerfile(request);
  const images = await dockerfileImages(dockerfile ?? "", { buildArgs, contexts: Object.keys(contexts) });
  return { references: [...images, ...contextImages(request)], isComplete: dockerfile !== undefined };
}

/** Words behind `FROM` and `from=` that look like images: stages are among them, and no parser has to be loaded. */
export async function possibleBaseImages(request: BuildRequest): Promise<readonly string[]> {
  const text = (await readDockerfile(request)) ?? "";
  const words = [...text.matchAll(/^\s*FROM\s+(?:--\S+\s+)*(\S+)|\bfrom=([^\s,]+)/gim)];
  const names = words.map(([, base, from]) => base ?? from ?? "");
  return [...names, ...contextImages(request)].filter(isImageReference);
}

function contextImages({ contexts }: BuildRequest): readonly string[] {
  return Object.values(contexts).flatMap((context) => (context.type === "image" ? [context.reference] : []));
}

/** The text of the Dockerfile; `undefined` if it is not on this machine. */
async function readDockerfile({ context, dockerfile, dockerfileInline }: BuildRequest): Promise<string | undefined> {
  if (dockerfileInline !== undefined) return dockerfileInline;
  if (context.type !== "directory") return undefined;
  // One that cannot be read ends the build by itself.
  return readFile(join(context.path, dockerfile), "utf8").catch(() => "");
}
