import type { Output } from "@slipway/core";
import { formatImageReference, parseImageReference } from "@slipway/registry-client";

/** The repository of a reference, with its registry: `registry.example.com/team/api`. */
export function withoutTag(reference: string): string {
  const { registry, repository } = parseImageReference(reference);
  return formatImageReference({ registry, repository });
}

/** The references under which a registry must serve the image once it is pushed. */
export function pushedReferences(
  outputs: readonly Output[],
  tags: readonly string[],
  digest: string,
): readonly string[] {
  const pushes = outputs.filter((output) => output.type === "push");
  if (pushes.length === 0) return [];
  if (pushes.some((push) => push.byDigest !== true)) return tags;
  return [...new Set(tags.map((tag) => `${withoutTag(tag)}@${digest}`))];
}
