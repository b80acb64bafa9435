import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { inClusterTarget } from "./in-cluster.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-service-account-"));
  await writeFile(join(folder, "token"), "t");
  await writeFile(join(folder, "namespace"), "builds\n");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("is the service account that Kubernetes mounts, its token read from the file each time", async () => {
  const environment = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  expect(await inClusterTarget(environment, folder)).toEqual({
    namespace: "builds",
    cluster: { server: "https://10.0.0.1:443", "certificate-authority": join(folder, "ca.crt") },
    user: { tokenFile: join(folder, "token") },
  });
});

test("brackets IPv6 addresses", async () => {
  const environment = { KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "443" };
  expect((await inClusterTarget(environment, folder))?.cluster.server).toBe("https://[fd00::1]:443");
});

test("is nothing outside a pod", async () => {
  expect(await inClusterTarget({}, folder)).toBeUndefined();
  const environment = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  expect(await inClusterTarget(environment, join(folder, "missing"))).toBeUndefined();
});
