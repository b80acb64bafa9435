import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP } from "node:net";
import type { Socket } from "node:net";
import { createSecureContext, connect as connectTls } from "node:tls";
import type { SecureContext } from "node:tls";

import { BuilderError } from "@slipway/core";

import type { Credentials } from "../auth/credentials.ts";
import type { KubeconfigCluster } from "../kubeconfig/kubeconfig.ts";
import { dialProxy } from "./dial-proxy.ts";
import { proxyFor } from "./proxy-for.ts";

/** Opens connections to one API server. */
export interface Dialer {
  readonly server: URL;
  /** @throws Error of `node:net`, `node:tls` or the proxy */
  dial(certificate: Credentials["certificate"]): Promise<Socket>;
}

const dialTimeoutMs = 15_000;
const keepAliveMs = 30_000;

async function certificateAuthority(cluster: KubeconfigCluster): Promise<string | Buffer | undefined> {
  if (cluster["certificate-authority-data"]) return Buffer.from(cluster["certificate-authority-data"], "base64");
  const path = cluster["certificate-authority"];
  if (!path) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new BuilderError({
      code: "KUBECONFIG_INVALID",
      message: `The certificate authority ${path}, which the kubeconfig names, cannot be read. Check the path and its permissions.`,
      details: { path },
      cause: error,
    });
  }
}

function ready(
  socket: Socket,
  event: "connect" | "secureConnect",
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const onTimeout = (): void => void socket.destroy(new Error(`no connection within ${timeoutMs / 1000} s`));
    const settle = (): void => {
      signal.removeEventListener("abort", onTimeout);
      socket.off("error", onError);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    signal.addEventListener("abort", onTimeout, { once: true });
    socket.on("error", onError).once(event, () => {
      settle();
      resolve(socket);
    });
  });
}

/** What TLS needs of a client certificate, read once for all connections with it. */
function secureContexts(ca: string | Buffer | undefined): (certificate: Credentials["certificate"]) => SecureContext {
  let last: { readonly certificate: Credentials["certificate"]; readonly context: SecureContext } | undefined;
  return (certificate) => {
    if (
      last === undefined ||
      last.certificate?.cert !== certificate?.cert ||
      last.certificate?.key !== certificate?.key
    ) {
      const { cert, key } = certificate ?? {};
      const identity = cert === undefined || key === undefined ? {} : { cert, key };
      last = { certificate, context: createSecureContext({ ...identity, ...(ca === undefined ? {} : { ca }) }) };
    }
    return last.context;
  };
}

/**
 * Makes the one place where connections to the API server begin, so that REST calls and streams share proxy, CA, server name
 * and keep-alive.
 *
 * @throws BuilderError with code KUBECONFIG_INVALID if the certificate authority cannot be read
 */
export async function createDialer(
  cluster: KubeconfigCluster & { readonly server: string },
  environment: NodeJS.ProcessEnv,
  timeoutMs: number = dialTimeoutMs,
): Promise<Dialer> {
  const server = new URL(cluster.server);
  const ca = await certificateAuthority(cluster);
  const proxy = proxyFor(server, cluster["proxy-url"], environment);
  const host = server.hostname.replace(/^\[|\]$/g, "");
  const isTls = server.protocol === "https:";
  const port = Number(server.port) || (isTls ? 443 : 80);
  // node:tls checks an IP address by `host`, and a name by `servername`, which must not be an address.
  const identity = cluster["tls-server-name"] ?? host;
  const tlsOptions = {
    host: identity,
    ...(isIP(identity) ? {} : { servername: identity }),
    rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
    ALPNProtocols: ["http/1.1"],
  };
  const contextFor = secureContexts(ca);
  return {
    server,
    dial: async (certificate) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const secureContext = isTls ? contextFor(certificate) : undefined;
      const plain = proxy
        ? await dialProxy(proxy, host, port, signal)
        : await ready(connectTcp({ host, port, autoSelectFamily: true }), "connect", signal, timeoutMs);
      plain.setNoDelay(true);
      plain.setKeepAlive(true, keepAliveMs);
      if (secureContext === undefined) return plain;
      return ready(connectTls({ ...tlsOptions, secureContext, socket: plain }), "secureConnect", signal, timeoutMs);
    },
  };
}
