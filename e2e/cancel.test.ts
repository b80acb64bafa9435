import { createBuilder, type BuildEvent } from "slipway";
import { buildkitDriver } from "slipway/buildkit";
import { expect, it } from "vitest";

import { createContextFolder } from "./support/context-folder.ts";
import { BuilderProbes } from "./support/builder-probes.ts";
import { createTestNamespace } from "./support/test-namespace.ts";

it("CANCEL: a canceled build rejects within 3 s, when its process in the pod is gone", async () => {
  await using namespace = await createTestNamespace();
  const probes = new BuilderProbes(namespace);
  const marker = "sleep 600";
  await using context = await createContextFolder({
    Dockerfile: `FROM ${namespace.testCluster.bases.busybox}\nRUN echo started && ${marker}\n`,
  });
  await using builder = createBuilder({ driver: buildkitDriver(namespace.driverOptions) });
  const run = builder.build({ context: context.path, tags: [`${namespace.repository}:1`] });
  const events: BuildEvent[] = [];
  const outcome = run.result().then(
    () => undefined,
    (error: unknown) => error,
  );
  let canceledMs = 0;
  try {
    for await (const event of run) {
      events.push(event);
      if (event.type !== "step-log" || !event.text.includes("started")) continue;
      expect(await probes.processes()).toContain(marker);
      canceledMs = performance.now();
      void run.cancel("no longer needed");
    }
  } catch {
    // The iteration throws what result() rejects with.
  }
  const error = await outcome;
  expect(performance.now() - canceledMs).toBeLessThan(3000);
  expect(await probes.processes()).not.toContain(marker);
  expect(error).toMatchObject({ code: "ABORTED" });
  expect(events.at(-1)).toMatchObject({ type: "build-end", outcome: "canceled" });
});
