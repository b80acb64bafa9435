import { createBuilder, type BuildOptions, type BuildResult } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("NO-CHANGE: a later process that changed nothing shows the daemon no file, however large the context is", async () => {
  await using namespace = await createTestNamespace();
  const { bases } = namespace.testCluster;
  const files = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`src/dir-${index % 50}/file-${index}`, `content ${index}\n`]),
  );
  const dockerfile = `FROM ${bases.busybox}\nCOPY src /src\nRUN find /src -type f | wc -l\n`;
  await using context = await createContextFolder({ ...files, Dockerfile: dockerfile });
  // As another process does it: nothing but what is on disk goes from one build to the next.
  const build = async (options: Partial<BuildOptions> = {}): Promise<BuildResult> => {
    await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
    return await builder.build({ context: context.path, tags: [`${namespace.repository}:1`], ...options }).result();
  };
  const wireBytes = ({ metadata }: BuildResult) => Number(metadata["slipway.context.wire-bytes"]);

  const first = await build();
  expect(first.context).toMatchObject({ files: 3000, sentFiles: 3000 });
  const second = await build();
  expect(wireBytes(second)).toBe(0);
  expect(second.context).toEqual({ ...first.context, sentFiles: 0, sentBytes: 0 });
  expect(second.image?.digest).toBe(first.image?.digest);

  await context.write("src/dir-7/file-7", "changed\n");
  const third = await build();
  expect(third.context).toMatchObject({ files: 3000, sentFiles: 1 });
  expect(third.image?.digest).not.toBe(first.image?.digest);

  // A cache is of use to others only under the digests of contents, which take a walk.
  const cache = `${namespace.repository}:cache`;
  const exporting = await build({ cacheTo: [{ type: "registry", reference: cache, mode: "max" }] });
  expect(wireBytes(exporting)).toBeGreaterThan(0);
  await using builder = createBuilder({ driver: buildkitDriver({ ...namespace.driverOptions, name: "another" }) });
  const cacheFrom = [{ type: "registry" as const, reference: cache }];
  const elsewhere = await builder
    .build({ context: context.path, tags: [`${namespace.repository}:2`], cacheFrom })
    .result();
  expect(elsewhere.steps.find(({ name }) => name.includes("COPY src"))?.cached).toBe(true);
});
