import * as z from "zod/mini";

import type { OptionsShape } from "./build-options.ts";

/**
 * The images that drivers run in the cluster beside the ones that they build. Every driver takes the same map and reads from it what it runs, so a
 * cluster without the internet is described once.
 */
export interface HelperImages {
  /**
   * `host[:port][/path]` in place of the registry of every image that has no entry of its own: with `mirror.example.com/hub`,
   * `docker.io/library/busybox` is pulled as `mirror.example.com/hub/library/busybox`.
   */
  readonly registry?: string | undefined;
  /** buildkitd, as root. */
  readonly buildkit?: string | undefined;
  /** buildkitd without privileges. */
  readonly buildkitRootless?: string | undefined;
  /** The kaniko executor. */
  readonly kaniko?: string | undefined;
  /** A shell with `nc`, `tar`, `sha256sum`, `find` and `xargs`, as busybox has them: beside builds, and in workspaces. */
  readonly helper?: string | undefined;
}

/** What an entry of {@link HelperImages} is for. */
export type HelperImageName = Exclude<keyof HelperImages, "registry">;

const image = z.optional(z.string().check(z.minLength(1)));
const prefix = z.optional(
  z
    .string()
    .check(z.regex(/^[\w.-]+(:\d+)?(\/[a-z\d]+([._/-]+[a-z\d]+)*)?$/, "needs host[:port][/path], without a scheme")),
);

/** The schema of {@link HelperImages}. */
export const helperImagesSchema = z.strictObject({
  registry: prefix,
  buildkit: image,
  buildkitRootless: image,
  kaniko: image,
  helper: image,
} satisfies OptionsShape<HelperImages>);

/**
 * The image to run: the one that the map names, else the default, from the registry that the map names.
 *
 * @param fallback In full, with its registry.
 */
export function helperImage(images: HelperImages, name: HelperImageName, fallback: string): string {
  const { registry, [name]: named } = images;
  if (named !== undefined || registry === undefined) return named ?? fallback;
  return `${registry}/${fallback.slice(fallback.indexOf("/") + 1)}`;
}
