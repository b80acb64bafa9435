// Builds one image in a pipeline: tags from the environment, plain output, an exit code per kind of failure.
//   node build-image.ts ./api registry.example.com/team/api
import { appendFile } from "node:fs/promises";

import { BuilderError, createBuilder, type BuilderErrorCode } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { createRenderer } from "slipway/progress";
import { dockerConfig, pullSecret } from "slipway/secrets";

/** What the pipeline does about a failure: 1 tells the author, 2 runs the job again, 3 tells whoever runs the cluster. */
const exitCodes: Partial<Record<BuilderErrorCode, number>> = {
  BUILD_FAILED: 1,
  CONTEXT_INVALID: 1,
  INVALID_OPTIONS: 1,
};

const [context = ".", repository = ""] = process.argv.slice(2);
const commit = process.env["COMMIT_SHA"] ?? "dev";

// #region build
await using builder = createBuilder({
  driver: buildkitDriver({ namespace: "ci-builds", resources: { limits: { memory: "4Gi" } } }),
  credentials: [pullSecret({ name: "regcred" }), dockerConfig()],
});
const run = builder.build(
  {
    context,
    tags: [`${repository}:${commit}`],
    labels: { "org.opencontainers.image.revision": commit },
    cacheFrom: [`${repository}:cache`],
    cacheTo: [{ type: "registry", reference: `${repository}:cache`, mode: "max" }],
  },
  { timeoutMs: 30 * 60_000 },
);
// #endregion build

process.once("SIGTERM", () => void run.cancel("the pipeline was stopped"));
const renderer = createRenderer({ stream: process.stdout });
try {
  for await (const event of run) renderer.render(event);
  const image = await run.image();
  const outputs = process.env["PIPELINE_OUTPUT"];
  if (outputs !== undefined) await appendFile(outputs, `image=${image.reference}\n`);
} catch (error) {
  if (!BuilderError.isInstance(error)) throw error;
  console.error(error.message);
  process.exitCode = exitCodes[error.code] ?? (error.retryable ? 2 : 3);
} finally {
  renderer.end();
}
