import { registryOf, repositoryOf } from "./image-names.ts";

/** The digest that a registry serves under a reference, however that is spelled: `busybox:1` is `docker.io/library/busybox:1`. */
export function servedDigest(images: ReadonlyMap<string, string>, reference: string): string | undefined {
  const asked = servedName(reference);
  const spelled = [...images.keys()].find((name) => servedName(name) === asked);
  return images.get(reference) ?? (spelled === undefined ? undefined : images.get(spelled));
}

const dockerHub = ["docker.io", "index.docker.io"];

/** The full name of an image. Where a digest stands beside a tag, it alone counts. */
function servedName(reference: string): string {
  const [named = "", digest] = reference.split("@");
  const name = inFull(named);
  return digest === undefined ? name : `${repositoryOf(name)}@${digest}`;
}

function inFull(name: string): string {
  const registry = registryOf(name);
  if (!dockerHub.includes(registry)) return name;
  const path = name.startsWith(`${registry}/`) ? name.slice(registry.length + 1) : name;
  return `docker.io/${path.includes("/") ? path : `library/${path}`}`;
}
