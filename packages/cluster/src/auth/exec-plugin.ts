import { spawn } from "node:child_process";

import { BuilderError } from "@slipway/core";

import type { ConnectionTarget, KubeconfigExec } from "../kubeconfig/kubeconfig.ts";
import type { Credentials } from "./credentials.ts";

const defaultApiVersion = "client.authentication.k8s.io/v1beta1";
const keptErrorBytes = 4096;

/** `KUBERNETES_EXEC_INFO`: what a plugin learns about the cluster; several refuse to run without it. */
function execInfo(target: ConnectionTarget, exec: KubeconfigExec, interactive: boolean): string {
  const { cluster } = target;
  const extension = cluster.extensions?.find(({ name }) => name === "client.authentication.k8s.io/exec");
  const info = exec.provideClusterInfo
    ? {
        cluster: {
          server: cluster.server,
          "tls-server-name": cluster["tls-server-name"],
          "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
          "certificate-authority-data": cluster["certificate-authority-data"],
          "proxy-url": cluster["proxy-url"],
          config: extension?.extension,
        },
      }
    : {};
  return JSON.stringify({
    apiVersion: exec.apiVersion ?? defaultApiVersion,
    kind: "ExecCredential",
    spec: { interactive, ...info },
  });
}

interface PluginRun {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

function runPlugin(
  exec: KubeconfigExec,
  environment: NodeJS.ProcessEnv,
  interactive: boolean,
  signal: AbortSignal,
): Promise<PluginRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args ?? [], {
      env: environment,
      stdio: [interactive ? "inherit" : "ignore", "pipe", "pipe"],
      signal,
    });
    const stdout: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString("utf8")).slice(-keptErrorBytes)));
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ stdout: Buffer.concat(stdout).toString("utf8"), stderr, exitCode }));
  });
}

interface ExecCredential {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly status?: {
    readonly token?: string;
    readonly clientCertificateData?: string;
    readonly clientKeyData?: string;
    readonly expirationTimestamp?: string;
  };
}

/** Reads the `ExecCredential` that a plugin printed. @throws Error that says what is wrong, without the credential itself */
export function parseExecCredential(text: string, apiVersion: string): Credentials {
  let parsed: ExecCredential;
  try {
    parsed = JSON.parse(text) as ExecCredential;
  } catch {
    throw new Error("it did not print JSON");
  }
  if (parsed.kind !== "ExecCredential")
    throw new Error(`it printed the kind ${String(parsed.kind)}, not ExecCredential`);
  if (parsed.apiVersion !== apiVersion) {
    throw new Error(`it answered in ${String(parsed.apiVersion)}, but the kubeconfig asks for ${apiVersion}`);
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = parsed.status ?? {};
  if (!token && !(cert && key)) throw new Error("its status holds neither a token nor a certificate with its key");
  const expiresAtMs = expirationTimestamp === undefined ? Number.NaN : Date.parse(expirationTimestamp);
  return {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    certificate: cert && key ? { cert, key } : undefined,
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  };
}

/**
 * Runs the credential plugin of a kubeconfig user, without a shell.
 *
 * @param target - whose user has an `exec` entry
 * @param environment - that the plugin inherits
 * @param signal - ends the plugin
 * @throws BuilderError with code CLUSTER_UNAUTHORIZED
 */
export async function runExecPlugin(
  target: ConnectionTarget,
  exec: KubeconfigExec,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Credentials> {
  const fail = (reason: string): BuilderError<"CLUSTER_UNAUTHORIZED"> => {
    const hint = exec.installHint ? ` ${exec.installHint.trim()}` : "";
    const { server } = target.cluster;
    return new BuilderError({
      code: "CLUSTER_UNAUTHORIZED",
      message: `The credential plugin ${exec.command} for ${server} failed: ${reason}. Run it by hand, or \`kubectl auth whoami\`, to log in.${hint}`,
      details: target.userName === undefined ? { server } : { server, user: target.userName },
    });
  };
  // A library does not take the terminal of its host for a plugin that can do without.
  const interactive = exec.interactiveMode === "Always";
  if (interactive && !process.stdin.isTTY) throw fail("it needs a terminal (interactiveMode: Always)");
  const own = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  const variables = { ...environment, ...own, KUBERNETES_EXEC_INFO: execInfo(target, exec, interactive) };
  let run: PluginRun;
  try {
    run = await runPlugin(exec, variables, interactive, signal);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw fail(
      missing ? "it is not installed, or not in PATH" : String(error instanceof Error ? error.message : error),
    );
  }
  if (run.exitCode !== 0)
    throw fail(`exit code ${String(run.exitCode)}${run.stderr.trim() ? `: ${run.stderr.trim()}` : ""}`);
  try {
    return parseExecCredential(run.stdout, exec.apiVersion ?? defaultApiVersion);
  } catch (error) {
    throw fail(error instanceof Error ? error.message : String(error));
  }
}
