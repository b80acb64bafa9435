import { defineConfig } from "tsup";

import { packageBuild } from "../../tsup.config.ts";

export default defineConfig({ ...packageBuild, entry: ["src/index.ts"], noExternal: ["zod", "p-queue"] });
