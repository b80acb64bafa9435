import type { BuiltImage } from "./build-result.ts";

/** What `find` looks for. */
export interface FindOptions {
  /** `os/architecture[/variant]`: the image counts as found only if the registry serves it for each of them. @defaultValue any */
  readonly platforms?: readonly string[];
}

/** What a driver is asked to look for. */
export type ImageQuery = Readonly<{
  /** `registry/repository:tag` or `registry/repository@digest`. */
  reference: string;
  /** Empty: any. */
  platforms: readonly string[];
}>;

/** An image that a registry serves. */
export type FoundImage = Pick<BuiltImage, "digest" | "reference" | "platforms"> &
  Readonly<{
    /** What it was built from, as `identify` says: of each build that has made exactly this image with `skipIfPresent`. */
    identities: readonly string[];
  }>;

/** What an image was built from. */
export type ImageIdentity = Readonly<{
  /** `registry/repository@digest`. */
  reference: string;
  /** `sha256:…`, as the driver's `identify` says. */
  identity: string;
}>;
