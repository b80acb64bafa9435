import { formatImageReference, parseImageReference } from "@slipway/registry-client";

/** What kaniko calls Docker Hub. */
const dockerHub = "index.docker.io";
const mapFlag = "--registry-map=";

/** Where kaniko looks for images before their own registries. */
export interface ImageMirrors {
  /** `host[:port][/path]`, for Docker Hub. */
  readonly registryMirrors: readonly string[];
  /** Flags as `--name=value`, of which `--registry-map=<registry>=<mirror>[;<registry>=<mirror>…]` counts. */
  readonly flags: readonly string[];
}

/** The references under which mirrors have images: each keeps its repository, below the path of the mirror. */
export function mirroredImages(images: readonly string[], { registryMirrors, flags }: ImageMirrors): readonly string[] {
  const maps = [
    ...registryMirrors.map((mirror) => [dockerHub, mirror] as const),
    ...flags.filter((flag) => flag.startsWith(mapFlag)).flatMap((flag) => readMap(flag.slice(mapFlag.length))),
  ];
  return images.flatMap((image) => {
    const { registry, ...rest } = parseImageReference(image);
    const known = registry === "docker.io" ? dockerHub : registry;
    const mirrors = maps.flatMap(([of, mirror]) => (of === known ? [mirror.replace(/\/$/, "")] : []));
    return mirrors.map((mirror) => formatImageReference({ ...rest, registry: mirror }));
  });
}

function readMap(value: string): readonly (readonly [string, string])[] {
  return value.split(";").flatMap((pair) => {
    const end = pair.indexOf("=");
    return end < 1 ? [] : [[pair.slice(0, end), pair.slice(end + 1)] as const];
  });
}
