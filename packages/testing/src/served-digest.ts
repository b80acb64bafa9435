import { imageNameOf, tagOf } from "./image-names.ts";

/** The digest that a registry serves under a reference, however that is spelled: `busybox:1` is `docker.io/library/busybox:1`. */
export function servedDigest(images: ReadonlyMap<string, string>, reference: string): string | undefined {
  const exact = images.get(reference);
  if (exact !== undefined) return exact;
  const asked = inFull(reference);
  return [...images].find(([name]) => inFull(name) === asked)?.[1];
}

/** Where a digest stands beside a tag, it alone counts. */
function inFull(reference: string): string {
  const { registry, repository } = imageNameOf(reference);
  const digest = reference.split("@")[1];
  return `${registry}/${repository}${digest === undefined ? `:${tagOf(reference) ?? "latest"}` : `@${digest}`}`;
}
