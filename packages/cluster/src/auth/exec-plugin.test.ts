import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { KubeconfigExec } from "../kubeconfig/kubeconfig.ts";
import { runExecPlugin } from "./exec-plugin.ts";

const apiVersion = "client.authentication.k8s.io/v1";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-plugin-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function run(script: string, exec: Partial<KubeconfigExec> = {}) {
  const command = join(folder, `plugin-${Math.random()}`);
  await writeFile(command, `#!/bin/sh\n${script}\n`);
  await chmod(command, 0o755);
  const entry = { apiVersion, command, ...exec };
  const cluster = { server: "https://a.example", "certificate-authority-data": "Q0E=" };
  const target = { cluster, userName: "me", user: { exec: entry } };
  return runExecPlugin(target, entry, process.env, new AbortController().signal);
}

const print = (status: object, version: string = apiVersion): string =>
  `echo '${JSON.stringify({ apiVersion: version, kind: "ExecCredential", status })}'`;

test("takes token, certificate and expiry", async () => {
  const status = {
    token: "t",
    clientCertificateData: "C",
    clientKeyData: "K",
    expirationTimestamp: "2030-01-01T00:00:00Z",
  };
  expect(await run(print(status))).toEqual({
    headers: { authorization: "Bearer t" },
    certificate: { cert: "C", key: "K" },
    expiresAtMs: Date.UTC(2030, 0, 1),
  });
});

test("hands over arguments without a shell, environment, and KUBERNETES_EXEC_INFO with the cluster", async () => {
  const script = `printf '{"apiVersion":"${apiVersion}","kind":"ExecCredential","status":{"token":"%s"}}' "$(printf '%s|%s|%s' "$1" "$OWN" "$KUBERNETES_EXEC_INFO" | base64 -w0)"`;
  const exec = { args: ["$(id) ; x"], env: [{ name: "OWN", value: "yes" }], provideClusterInfo: true };
  const { headers } = await run(script, exec);
  const [argument, own, info = ""] = Buffer.from(String(headers.authorization).slice(7), "base64")
    .toString()
    .split("|");
  expect([argument, own]).toEqual(["$(id) ; x", "yes"]);
  expect(JSON.parse(info)).toEqual({
    apiVersion,
    kind: "ExecCredential",
    spec: { interactive: false, cluster: { server: "https://a.example", "certificate-authority-data": "Q0E=" } },
  });
});

const failures: readonly (readonly [string, string, Partial<KubeconfigExec>, RegExp])[] = [
  [
    "it is not installed",
    "",
    { command: "slipway-no-such-plugin", installHint: "Get it from example.com." },
    /not installed.*Get it from/,
  ],
  ["it fails", "echo expired session >&2; exit 4", {}, /exit code 4: expired session/],
  ["it prints no JSON", "echo hello", {}, /did not print JSON/],
  [
    "it answers in another version",
    print({ token: "t" }, "client.authentication.k8s.io/v1beta1"),
    {},
    /v1beta1.*asks for/,
  ],
  ["it has no credentials", print({}), {}, /neither a token nor a certificate/],
  ["it wants a terminal", "", { interactiveMode: "Always" }, /needs a terminal/],
];

test.each(failures)("says CLUSTER_UNAUTHORIZED when %s", async (_, script, exec, message) => {
  await expect(run(script, exec)).rejects.toMatchObject({
    code: "CLUSTER_UNAUTHORIZED",
    message: expect.stringMatching(message) as string,
    details: { server: "https://a.example", user: "me" },
  });
});
