import * as z from "zod";

/** Options of a build that only podman knows: `build({ …, podman: { squash: true } })`. */
export interface PodmanBuildOptions {
  /** Make one layer of all that the build adds. @defaultValue `false` */
  squash?: boolean | undefined;
}

/** The keys that this driver adds to the options of a build. Each schema has to accept `{}`, which stands for an absent key. */
export const podmanBuildOptions = {
  podman: z.strictObject({ squash: z.boolean().default(false) }),
};
