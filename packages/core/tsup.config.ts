import { defineConfig } from "tsup";

import { packageBuild } from "../../tsup.config.ts";

export default defineConfig({
  ...packageBuild,
  entry: ["src/index.ts", "src/errors.ts"],
  noExternal: ["zod", "p-queue"],
});
