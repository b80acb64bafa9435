import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { AddressPlan } from "./address-plan.ts";
import type { ClusterPaths } from "./cluster-paths.ts";
import { runCommand } from "./run-command.ts";

/** A user of the API server that authenticates with a token. */
interface TokenUser {
  readonly file: string;
  readonly user: string;
  readonly group?: string;
}

function tokenUsers(plan: AddressPlan): readonly TokenUser[] {
  return [
    { file: "admin", user: "admin", group: "system:masters" },
    { file: "controller-manager", user: "system:kube-controller-manager" },
    { file: "scheduler", user: "system:kube-scheduler" },
    { file: "proxy", user: "system:kube-proxy" },
    { file: "addons", user: "slipway:addons", group: "system:masters" },
    ...plan.nodes.map(({ name }) => ({ file: name, user: `system:node:${name}`, group: "system:nodes" })),
  ];
}

/** The names that the API server's certificate is valid for. */
export function serverNames(plan: AddressPlan): readonly string[] {
  const service = [
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
  ];
  return [plan.controlPlane, "127.0.0.1", plan.kubernetesService, "localhost", ...service];
}

/** Renders a kubeconfig (JSON is YAML) with one token user. */
export function renderKubeconfig(options: { name: string; server: string; ca: string; token: string }): string {
  const { name, server, ca, token } = options;
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}

/** One line of the API server's token file. */
export function tokenLine(token: string, user: string, group: string | undefined): string {
  return [token, user, user, ...(group === undefined ? [] : [`"${group}"`])].join(",");
}

/** The kubeconfig of a component, written by {@link ensureCredentials}. */
export function componentKubeconfig(paths: ClusterPaths, component: string): string {
  return join(paths.pki, `${component}.kubeconfig`);
}

/** Makes certificates, tokens and kubeconfigs once: the folder appears complete or not at all. */
export async function ensureCredentials(
  paths: ClusterPaths,
  plan: AddressPlan,
  name: string,
  hyper: string,
): Promise<void> {
  if (!existsSync(paths.pki)) {
    const unfinished = `${paths.pki}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    await runCommand([hyper, "pki", unfinished, serverNames(plan).join(",")]);
    await writeCredentials(unfinished, plan, name);
    await rename(unfinished, paths.pki);
  }
  await writeFile(paths.kubeconfig, readFileSync(componentKubeconfig(paths, "admin")), { mode: 0o600 });
}

async function writeCredentials(folder: string, plan: AddressPlan, name: string): Promise<void> {
  const ca = readFileSync(join(folder, "ca.crt"), "utf8");
  const server = `https://${plan.controlPlane}:6443`;
  const lines: string[] = [];
  for (const { file, user, group } of tokenUsers(plan)) {
    const token = randomBytes(24).toString("hex");
    lines.push(tokenLine(token, user, group));
    await writeFile(join(folder, `${file}.kubeconfig`), renderKubeconfig({ name, server, ca, token }), { mode: 0o600 });
  }
  await writeFile(join(folder, "tokens.csv"), `${lines.join("\n")}\n`, { mode: 0o600 });
}
