import type { Credential } from "@slipway/core";
import type { ImageReference } from "@slipway/registry-client";

/** What registries have accepted, by {@link repositoryName}; `anonymous` where it was nothing, and credentials were refused. */
export type AcceptedCredentials = ReadonlyMap<string, Credential | "anonymous">;

/** A repository in full. */
export function repositoryName({ registry, repository }: Pick<ImageReference, "registry" | "repository">): string {
  return `${registry}/${repository}`;
}
