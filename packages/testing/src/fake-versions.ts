import { invalidOptions } from "@slipway/core";
import type { BuildRequest, BuilderError } from "@slipway/core";

import { fakeIdentity } from "./fake-identity.ts";

const identityPattern = /^sha256:[0-9a-f]{64}$/;
/** As many digits of the identity as real drivers take. */
const tagDigits = 16;

/** Knows what the images were built from that one fake driver has built. */
export class FakeVersions {
  readonly #builds = new Map<string, { readonly request: BuildRequest; readonly startedMs: number }>();

  /** Remembers a build by the digest of its image. */
  add(digest: string, request: BuildRequest, startedMs: number): void {
    this.#builds.set(digest, { request, startedMs });
  }

  /**
   * `v-` and a hash of what an image was built from.
   *
   * @param recorded - The identities that `recordIdentity` has left with the image.
   * @throws `INVALID_OPTIONS` if that is not known
   */
  async tagOf(digest: string, recorded: readonly string[]): Promise<string> {
    try {
      return versionTag(await this.#identityOf(digest));
    } catch (error) {
      const [identity, ...others] = recorded.filter((text) => identityPattern.test(text));
      if (identity === undefined || others.length > 0) throw error;
      return versionTag(identity);
    }
  }

  async #identityOf(digest: string): Promise<string> {
    const build = this.#builds.get(digest);
    if (build === undefined) throw unknownVersion(`this builder has not built ${digest} itself`);
    const { request, startedMs } = build;
    return fakeIdentity(request, { unchangedSinceMs: startedMs }).catch((error: unknown) => {
      throw unknownVersion(error instanceof Error ? error.message : String(error));
    });
  }
}

function versionTag(identity: string): string {
  return `v-${identity.replace(/^sha256:/, "").slice(0, tagDigits)}`;
}

function unknownVersion(reason: string): BuilderError<"INVALID_OPTIONS"> {
  const why = reason.replace(/\.$/, "");
  const message = `A destination has no tag, and what the image was built from is not known: ${why}. Give the tag, or versionTag`;
  return invalidOptions("publish", [{ path: "versionTag", message }]);
}
