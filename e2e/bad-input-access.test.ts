import { createServer, type AddressInfo } from "node:net";

import { createBuilder } from "slipway";
import { buildkitDriver, requiredRbac, type BuildkitDriverOptions } from "slipway/buildkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { expectBuilderObjects, noBuilder } from "./bad-input/builder-objects.ts";
import { expectFailure } from "./bad-input/expected-failure.ts";
import { createLimitedUser } from "./bad-input/limited-user.ts";
import { createContextFolder } from "./support/context-folder.ts";
import { readClusterAccess, writeKubeconfig } from "./support/kubeconfig-file.ts";
import { createTestNamespace, type TestNamespace } from "./support/test-namespace.ts";

let namespace: TestNamespace;
beforeAll(async () => {
  namespace = await createTestNamespace();
});
afterAll(() => namespace[Symbol.asyncDispose]());

async function build(options: Partial<BuildkitDriverOptions>): Promise<unknown> {
  await using context = await createContextFolder({
    Dockerfile: `FROM ${namespace.testCluster.bases.busybox}\nRUN true\n`,
  });
  await using builder = createBuilder({ driver: buildkitDriver({ ...namespace.driverOptions, ...options }) });
  return await builder.build({ context: context.path, tags: [`${namespace.repository}:1`] }).result();
}

describe("an API server that does not help", () => {
  it("BAD-INPUT: unreachable server", async () => {
    await using file = await writeKubeconfig(await readClusterAccess(namespace.testCluster), {
      server: await closedServer(),
    });
    await expectFailure("unreachable server", () => build(file), {
      code: "CLUSTER_UNREACHABLE",
      message: [/https:\/\/127\.0\.0\.1:\d+/, /ECONNREFUSED/, /check that the cluster runs/],
    });
  });

  it("BAD-INPUT: token refused", async () => {
    await using file = await writeKubeconfig(await readClusterAccess(namespace.testCluster), {
      user: { token: "s3cret-t0ken" },
    });
    const error = await expectFailure("token refused", () => build(file), {
      code: "CLUSTER_UNAUTHORIZED",
      message: [/was refused at https:/, /log in again/],
      details: { user: "test" },
    });
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });

  it("BAD-INPUT: namespace that does not exist", async () => {
    await expectFailure("namespace that does not exist", () => build({ namespace: "no-such-namespace" }), {
      code: "NAMESPACE_NOT_FOUND",
      message: [/"no-such-namespace" does not exist/, /kubectl create namespace no-such-namespace/],
      details: { namespace: "no-such-namespace" },
    });
  });
});

describe.concurrent("a user who may do too little", () => {
  it.for(requiredRbac.map((rule, index) => ({ ...rule, index })))(
    "BAD-INPUT: not allowed to $verb $resource",
    async ({ verb, resource, index }) => {
      const rules = requiredRbac.filter((_, other) => other !== index);
      await using user = await createLimitedUser(namespace, `without-${index}`, rules);
      await expectFailure(`not allowed to ${verb} ${resource}`, () => build(user), {
        code: "FORBIDDEN",
        message: [new RegExp(`${verb}.*${resource}`), new RegExp(namespace.name), /Role/],
        details: { verb, resource, namespace: namespace.name },
      });
    },
  );
});

it("BAD-INPUT: nothing was made for users who may do too little", () => expectBuilderObjects(namespace, noBuilder));

describe("a user with the documented rules", () => {
  it("BAD-INPUT: is allowed all that a builder does", async () => {
    await using own = await createTestNamespace();
    await using user = await createLimitedUser(own, "builder", requiredRbac);
    await using context = await createContextFolder({
      Dockerfile: `FROM ${own.testCluster.bases.busybox}\nRUN true\n`,
    });
    await using builder = createBuilder({ driver: buildkitDriver({ ...own.driverOptions, ...user }) });
    const request = { context: context.path, tags: [`${own.repository}:1`] };
    expect(await builder.build(request).image()).toMatchObject({ tags: request.tags });

    // What is there needs no check of all rules, so that what is missing shows only when it is needed.
    const noExec = requiredRbac.filter(({ resource }) => resource !== "pods/exec");
    await using watcher = await createLimitedUser(own, "watcher", noExec);
    await using refused = createBuilder({ driver: buildkitDriver({ ...own.driverOptions, ...watcher }) });
    await expectFailure("not allowed to exec in a builder that is there", () => refused.build(request).result(), {
      code: "FORBIDDEN",
      message: [/pods\/exec/, new RegExp(own.name), /Role/],
      details: { resource: "pods/exec", namespace: own.name },
    });

    await builder.prune();
    await builder.stop();
    expect(await builder.status()).toMatchObject({ state: "stopped" });
    await builder.remove();
    await expectBuilderObjects(own, noBuilder);
  });
});

/** An address on loopback where nobody listens. */
async function closedServer(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `https://127.0.0.1:${port}`;
}
