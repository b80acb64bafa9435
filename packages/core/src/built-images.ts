import type { BuildRequest } from "./builder-driver.ts";
import { BuilderError } from "./builder-error.ts";
import type { PublishOptions } from "./builder-maintenance.ts";
import { invalidOptions } from "./invalid-options.ts";

/** How many builds are remembered: what is published is published soon after it was built. */
const rememberedBuilds = 100;
/** Of 64 hexadecimal digits; 64 bits tell the versions of one image apart. */
const tagDigits = 16;

/** As a driver's: `sha256:…` of all that a build is made of. Throws `CONTEXT_INVALID` for files that have changed since, or cannot be read. */
export type IdentifyBuild = (request: BuildRequest, options: { readonly unchangedSinceMs: number }) => Promise<string>;

/** Knows what the images were built from that this process has built. */
export class BuiltImages {
  readonly #builds = new Map<string, { readonly request: BuildRequest; readonly startedMs: number }>();
  readonly #identify: IdentifyBuild;

  /** @param identify - Finds out what a build that is remembered was made of. */
  constructor(identify: IdentifyBuild) {
    this.#identify = identify;
  }

  /** Remembers a build by the digest of its image; `startedMs` is in epoch milliseconds. */
  add(digest: string, request: BuildRequest, startedMs: number): void {
    this.#builds.delete(digest);
    this.#builds.set(digest, { request, startedMs });
    const [oldest] = this.#builds.keys();
    if (this.#builds.size > rememberedBuilds && oldest !== undefined) this.#builds.delete(oldest);
  }

  /**
   * A tag that names what an image was built from: `v-` and a hash of the build's inputs.
   *
   * @param recorded - The identities that a registry has for the image, as builds with `skipIfPresent` leave them; asked only if this process does not know.
   * @throws BuilderError INVALID_OPTIONS if this process has not built the image, or its files have changed since, and the registry does not know just one
   */
  async versionTag(digest: string, recorded: () => Promise<readonly string[]>): Promise<string> {
    try {
      return tagOf(await this.#identityOf(digest));
    } catch (error) {
      if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS") throw error;
      const [identity, ...others] = (await recorded()).filter((text) => identityPattern.test(text));
      if (identity === undefined || others.length > 0) throw error;
      return tagOf(identity);
    }
  }

  async #identityOf(digest: string): Promise<string> {
    const build = this.#builds.get(digest);
    if (build === undefined) throw unknownVersion(`this builder has not built ${digest} itself`);
    const { request, startedMs } = build;
    return this.#identify(request, { unchangedSinceMs: startedMs }).catch((error: unknown) => {
      if (BuilderError.isInstance(error) && error.code === "CONTEXT_INVALID") throw unknownVersion(error.message);
      throw error;
    });
  }
}

const identityPattern = /^sha256:[0-9a-f]{64}$/;

function tagOf(identity: string): string {
  return `v-${identity.replace(/^sha256:/, "").slice(0, tagDigits)}`;
}

/** Whether a destination leaves its tag to the version of the image. */
export function needsVersionTag({ destinations, versionTag }: PublishOptions): boolean {
  return versionTag === undefined && destinations.some((destination) => !/:[^/:]+$/.test(destination));
}

function unknownVersion(reason: string): BuilderError {
  const why = reason.replace(/\.$/, "");
  const message = `A destination has no tag, and what the image was built from is not known: ${why}. Give the tag, or versionTag`;
  return invalidOptions("publish", [{ path: "versionTag", message }]);
}
