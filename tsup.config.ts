import type { Options } from "tsup";

/** What the build of every package has in common; a package adds its entry points. */
export const packageBuild: Options = {
  format: "esm",
  target: "node22",
  platform: "node",
  dts: true,
  clean: true,
  sourcemap: true,
  treeshake: true,
  splitting: true,
};
