import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { ConnectionTarget } from "./kubeconfig.ts";

const serviceAccountFolder = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The service account that Kubernetes mounts into a pod, or `undefined` outside one.
 *
 * @param environment - where `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are
 * @param folder - of the mounted token; only tests have another
 */
export async function inClusterTarget(
  environment: NodeJS.ProcessEnv,
  folder: string = serviceAccountFolder,
): Promise<ConnectionTarget | undefined> {
  const host = environment.KUBERNETES_SERVICE_HOST;
  const port = environment.KUBERNETES_SERVICE_PORT;
  const tokenFile = join(folder, "token");
  if (!host || !port || !existsSync(tokenFile)) return undefined;
  const namespace = await readFile(join(folder, "namespace"), "utf8").catch(() => "");
  return {
    namespace: namespace.trim() || undefined,
    cluster: {
      server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
      "certificate-authority": join(folder, "ca.crt"),
    },
    user: { tokenFile },
  };
}
