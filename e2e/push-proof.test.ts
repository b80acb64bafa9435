import { connectBuildkit } from "@slipway/buildkit-client";
import type { Pod } from "@slipway/cluster";
import { createBuilder } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("PUSH-PROOF: the daemon tells what the registry serves under a tag, and that it serves nothing", async () => {
  await using namespace = await createTestNamespace();
  const { cluster, repository } = namespace;
  await using context = await createContextFolder({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
  await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
  const build = (tag: string) => builder.build({ context: context.path, tags: [`${repository}:${tag}`] }).result();
  const { image } = await build("1");
  const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod" }, {});
  const pod = pods.items[0]?.metadata?.name ?? "";
  const stream = await cluster.exec({ namespace: namespace.name, pod, command: ["buildctl", "dial-stdio"] });
  await using client = await connectBuildkit(stream.stdio);
  const credentials = (): Promise<undefined> => Promise.resolve(undefined);

  using resolver = client.openImageResolver({ credentials });
  expect(await resolver.resolve({ reference: `${repository}:1` })).toBe(image?.digest);
  await expect(resolver.resolve({ reference: `${repository}:2` })).rejects.toThrow(/not found/);

  // It asks each time: a tag that moves is seen.
  await context.write("Dockerfile", "FROM scratch\nCOPY Dockerfile /moved\n");
  const moved = await build("1");
  expect(moved.image?.digest).not.toBe(image?.digest);
  using later = client.openImageResolver({ credentials });
  expect(await later.resolve({ reference: `${repository}:1` })).toBe(moved.image?.digest);
});
