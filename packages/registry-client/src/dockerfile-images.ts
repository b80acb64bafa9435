import { expandVariables } from "./expand-variables.ts";
import { isImageReference } from "./image-reference.ts";

/** What decides which images a Dockerfile names. */
export interface DockerfileImagesOptions {
  /** Values for `ARG` before the first `FROM`. @defaultValue none */
  readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  /** Names that are contexts of the build, not images. @defaultValue none */
  readonly contexts?: readonly string[] | undefined;
}

/**
 * The images that a Dockerfile names in `FROM`, `COPY --from` and `RUN --mount=from=…`, each once, as it is written. Stages, `scratch`, further contexts, and
 * names that depend on what nobody has given are left out.
 */
export async function dockerfileImages(
  dockerfile: string,
  { buildArgs = {}, contexts = [] }: DockerfileImagesOptions = {},
): Promise<readonly string[]> {
  // A parser is slow to load, and most builds never ask.
  const { DockerfileParser } = await import("dockerfile-ast");
  const parsed = DockerfileParser.parse(dockerfile);
  const values: Record<string, string> = {};
  for (const argument of parsed.getInitialARGs()) {
    const property = argument.getProperty();
    const name = property?.getName();
    if (name === undefined) continue;
    const value = buildArgs[name] ?? property?.getValue();
    if (value !== undefined && value !== null) values[name] = expandVariables(value, values) ?? "";
  }
  const froms = parsed.getFROMs();
  const notImages = new Set(["scratch", ...contexts]);
  for (const from of froms) {
    const stage = from.getBuildStage();
    if (stage !== null) notImages.add(stage.toLowerCase());
  }
  const named = [
    ...froms.map((from) => from.getImage()),
    ...parsed.getCOPYs().map((copy) => copy.getFromFlag()?.getValue() ?? null),
    ...mountSources(dockerfile),
  ];
  const images = named.flatMap((name) => {
    const image = name === null ? undefined : expandVariables(name, values);
    if (image === undefined || image === "" || /^\d+$/.test(image) || notImages.has(image.toLowerCase())) return [];
    return isImageReference(image) ? [image] : [];
  });
  return [...new Set(images)];
}

function mountSources(dockerfile: string): string[] {
  return [...dockerfile.matchAll(/--mount=\S*?\bfrom=([^,\s\\]+)/g)].map(([, source = ""]) => source);
}
