import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";

import { requiredRbac } from "slipway/kaniko";

import { createLimitedUser } from "../bad-input/limited-user.ts";
import {
  readClusterAccess,
  writeKubeconfig,
  type ClusterAccess,
  type KubeconfigFile,
} from "../support/kubeconfig-file.ts";
import type { TestNamespace } from "../support/test-namespace.ts";

/** A way to the API server on which no Secret arrives. */
export interface HeldSecret extends AsyncDisposable {
  readonly access: Pick<KubeconfigFile, "kubeconfig" | "context">;
  /** Resolves when a client wants to create a Secret, which never is. */
  readonly asked: Promise<undefined>;
}

/** Lets clients do all that a build does up to its Secret. */
export async function holdSecret(namespace: TestNamespace): Promise<HeldSecret> {
  await using stack = new AsyncDisposableStack();
  const user = stack.use(await createLimitedUser(namespace, "held-secret", requiredRbac));
  const access = await readClusterAccess(namespace.testCluster);
  const asked = Promise.withResolvers<undefined>();
  const ca = Buffer.from(String(access.cluster["certificate-authority-data"]), "base64");
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method, headers, url: path = "" } = incoming;
    if (method === "POST" && path.includes("/secrets")) {
      asked.resolve(undefined);
      return;
    }
    const { hostname: host, port } = access.server;
    const upstream = httpsRequest({ host, port, method, headers, path, ca }, (response) => {
      outgoing.writeHead(response.statusCode ?? 502, response.headers);
      outgoing.flushHeaders();
      pipeline(response, outgoing, () => undefined);
    });
    upstream.on("error", () => outgoing.destroy());
    outgoing.on("close", () => upstream.destroy());
    incoming.pipe(upstream);
  };
  const proxy = createServer(forward);
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  stack.defer(async () => {
    proxy.closeAllConnections();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const server = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const login = JSON.parse(await readFile(user.kubeconfig, "utf8")) as { users: [{ user: ClusterAccess["user"] }] };
  const file = stack.use(await writeKubeconfig(access, { server, user: login.users[0].user }));
  const kept = stack.move();
  return { access: file, asked: asked.promise, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
