import { defineConfig } from "tsup";

import { packageBuild } from "../../tsup.config.ts";

export default defineConfig({
  ...packageBuild,
  entry: [
    "src/index.ts",
    "src/buildkit.ts",
    "src/cluster.ts",
    "src/kaniko.ts",
    "src/registry.ts",
    "src/secrets.ts",
    "src/progress.ts",
    "src/context.ts",
  ],
});
