import { randomBytes } from "node:crypto";

import type { TestNamespace } from "../test-namespace.ts";
import type { RegistryUser } from "./registry-access.ts";

/** A user with a password of 32 random bytes, in characters that every registry and header takes. */
export function randomUser(name: string): RegistryUser {
  return { name, password: randomBytes(32).toString("base64url") };
}

/** Makes a `kubernetes.io/dockerconfigjson` Secret, or gives the one that is there other content. */
export async function applyPullSecret(
  namespace: TestNamespace,
  name: string,
  logins: Readonly<Record<string, RegistryUser>>,
): Promise<void> {
  const entries = Object.entries(logins).map(([key, user]) => [key, { username: user.name, password: user.password }]);
  await applyDockerConfigSecret(namespace, name, { auths: Object.fromEntries(entries) as object });
}

/** The same with whatever a docker configuration may have. */
export async function applyDockerConfigSecret(namespace: TestNamespace, name: string, config: object): Promise<void> {
  await namespace.cluster.apply({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace: namespace.name },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(JSON.stringify(config)).toString("base64") },
  });
}
