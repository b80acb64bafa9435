import type { Builder } from "slipway";

import type { Service } from "./services.ts";

/**
 * Builds services as soon as what they are built on is there, and resolves with their images by name. The first failure cancels
 * whatever is still being built.
 */
// #region loop
export async function buildServices(
  builder: Builder,
  services: readonly Service[],
  parent: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const failure = new AbortController();
  const signal = AbortSignal.any([parent, failure.signal]);
  const images = new Map<string, Promise<string>>();

  const build = async (service: Service): Promise<string> => {
    const bases = Object.entries(service.bases ?? {}).map(async ([argument, base]) => [
      argument,
      await images.get(base),
    ]);
    const buildArgs = { ...service.build.buildArgs, ...(Object.fromEntries(await Promise.all(bases)) as object) };
    const run = builder.build({ ...service.build, name: service.name, buildArgs }, { signal });
    // By digest: a tag may have moved on when the next service is built on this one.
    return (await run.image()).reference;
  };

  for (const service of services) images.set(service.name, build(service));
  try {
    const built = await Promise.all([...images].map(async ([name, image]) => [name, await image] as const));
    return new Map(built);
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(images.values());
    throw error;
  }
}
// #endregion loop
