import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { statPacketBytes } from "./support/stat-packets.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

const fileCount = 2000;

it("ONE-FILE: a second build sends only the file that changed", async () => {
  await using namespace = await createTestNamespace();
  const { bases } = namespace.testCluster;
  const files = Object.fromEntries(
    Array.from({ length: fileCount }, (_, index) => [`src/dir-${index % 50}/file-${index}`, `content ${index}\n`]),
  );
  const dockerfile = `FROM ${bases.busybox}\nCOPY tools /tools\nRUN ls /tools\nCOPY src /src\nRUN find /src -type f | wc -l\n`;
  await using context = await createContextFolder({ ...files, "tools/tool": "x", Dockerfile: dockerfile });
  await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
  const build = (tag: string) =>
    builder.build({ context: context.path, tags: [`${namespace.repository}:${tag}`] }).result();

  const first = await build("1");
  expect(first.context.files).toBe(fileCount + 1);
  expect(first.context.sentFiles).toBe(fileCount + 1);

  const changed = "changed content\n";
  await context.write("src/dir-7/file-7", changed);
  const second = await build("2");
  expect(second.context.sentFiles).toBe(1);
  expect(second.context.sentBytes).toBe(changed.length);
  expect(second.image?.digest).not.toBe(first.image?.digest);

  const stepOf = (name: string) => second.steps.find((step) => step.name.includes(name));
  expect(stepOf("COPY tools")?.cached).toBe(true);
  expect(stepOf("RUN ls /tools")?.cached).toBe(true);
  expect(stepOf("COPY src")?.cached).toBe(false);

  const wireBytes = Number(second.metadata["slipway.context.wire-bytes"]);
  expect(wireBytes).toBeGreaterThan(changed.length);
  expect(wireBytes).toBeLessThanOrEqual(changed.length + statPacketBytes(context.path) + 1024);
});
