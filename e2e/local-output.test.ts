import { mkdtemp, readFile, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("the files of the last stage arrive in a folder, which is made, and a later build adds to it", async () => {
  await using namespace = await createTestNamespace();
  const { bases } = namespace.testCluster;
  const dockerfile = `FROM ${bases.busybox} AS build\nARG NAME\nRUN mkdir -p /out/dir && echo $NAME >/out/dir/$NAME && chmod 750 /out/dir/$NAME\nFROM scratch\nCOPY --from=build /out /\n`;
  await using context = await createContextFolder({ Dockerfile: dockerfile });
  const folder = await mkdtemp(join(tmpdir(), "slipway-output-"));
  try {
    await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
    const directory = join(folder, "new/out");
    for (const name of ["first", "second"]) {
      const build = {
        context: context.path,
        buildArgs: { NAME: name },
        outputs: [{ type: "local" as const, directory }],
      };
      await builder.build(build).result();
    }
    expect(await readdir(directory)).toEqual(["dir"]);
    expect((await readdir(join(directory, "dir"))).sort()).toEqual(["first", "second"]);
    expect(await readFile(join(directory, "dir/first"), "utf8")).toBe("first\n");
    expect((await stat(join(directory, "dir/first"))).mode & 0o777).toBe(0o750);
  } finally {
    await rm(folder, { recursive: true });
  }
});
