import { defineConfig } from "tsup";

import { packageBuild } from "../../tsup.config.ts";

export default defineConfig([
  { ...packageBuild, entry: ["src/index.ts"] },
  // All in one file: a thread starts without the other packages. What a walk does not need stays out.
  {
    ...packageBuild,
    entry: { "walk-worker": "src/file-sync/walk-worker.ts" },
    noExternal: [/^@slipway\/(?:core|context-sync)$/],
    external: ["@slipway/cluster", "p-queue", "tar-fs"],
    esbuildOptions: (options) => {
      options.conditions = ["@slipway/source"];
    },
    dts: false,
    clean: false,
  },
]);
