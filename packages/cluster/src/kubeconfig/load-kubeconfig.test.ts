import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { loadConnectionTarget } from "./load-kubeconfig.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-kubeconfig-"));
  await mkdir(join(folder, "second"));
  await writeFile(
    join(folder, "first"),
    `apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: a, user: me, namespace: builds}}
- {name: broken, context: {cluster: nowhere, user: me}}
clusters:
- {name: a, cluster: {server: "https://a.example:6443", certificate-authority: pki/ca.crt}}
users:
- {name: me, user: {token: first}}
`,
  );
  await writeFile(
    join(folder, "second", "config"),
    `current-context: two
contexts:
- {name: two, context: {cluster: b, user: plugin}}
- {name: one, context: {cluster: b, user: plugin}}
clusters:
- {name: b, cluster: {server: "https://b.example"}}
users:
- {name: me, user: {token: second}}
- {name: plugin, user: {tokenFile: token, exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login}}}
`,
  );
  await writeFile(join(folder, "broken"), "users: [{name: me, user: {token: hunter2}}\n  : :");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const load = (kubeconfig: string | undefined, context?: string, environment: NodeJS.ProcessEnv = {}) =>
  loadConnectionTarget({ kubeconfig, context, environment, homeFolder: folder });

test("takes the current context, with its namespace, and paths relative to the file", async () => {
  expect(await load(join(folder, "first"))).toEqual({
    context: "one",
    namespace: "builds",
    cluster: { server: "https://a.example:6443", "certificate-authority": join(folder, "pki/ca.crt") },
    userName: "me",
    user: { token: "first" },
  });
});

test("merges the files of KUBECONFIG: the first to name something wins, a missing file is skipped", async () => {
  const KUBECONFIG = [join(folder, "missing"), join(folder, "first"), join(folder, "second", "config")].join(delimiter);
  expect(await load(undefined, undefined, { KUBECONFIG })).toMatchObject({
    context: "one",
    cluster: { server: "https://a.example:6443" },
  });
  expect(await load(undefined, "two", { KUBECONFIG })).toMatchObject({
    cluster: { server: "https://b.example" },
    user: { tokenFile: join(folder, "second", "token"), exec: { command: join(folder, "second", "bin/login") } },
  });
});

const failures = [
  ["a file that is not there", () => load(join(folder, "missing")), /does not exist.*kubeconfig option/],
  [
    "a context that is not there",
    () => load(join(folder, "first"), "three"),
    /no context "three".*It has: one, broken/,
  ],
  ["a context whose cluster is not there", () => load(join(folder, "first"), "broken"), /names the cluster "nowhere"/],
  ["no kubeconfig at all", () => load(undefined), /no kubeconfig at .*set KUBECONFIG/],
] as const;

test.each(failures)("fails with KUBECONFIG_INVALID for %s", async (_, attempt, message) => {
  await expect(attempt()).rejects.toMatchObject({
    code: "KUBECONFIG_INVALID",
    message: expect.stringMatching(message) as string,
  });
});

test("does not quote a file that it cannot parse", async () => {
  const error: unknown = await load(join(folder, "broken")).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "KUBECONFIG_INVALID" });
  expect(String(error) + JSON.stringify(error)).not.toContain("hunter2");
});
