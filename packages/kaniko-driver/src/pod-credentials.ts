import { dockerConfigFolder } from "./executor-arguments.ts";
import type { ResolvedKanikoDriverOptions } from "./kaniko-options.ts";

/**
 * Names by which the keychains in an executor find credentials: of docker, Google, Amazon, Azure and GitLab. Source: pkg/creds/creds.go of
 * GoogleContainerTools v1.24.0. Of Amazon's, regions are the ones that have nothing to do with them.
 */
const credentialVariable =
  /^(?:DOCKER_CONFIG|GOOGLE_APPLICATION_CREDENTIALS|AWS_(?!(?:DEFAULT_)?REGION$)\w+|AZURE_\w+|CI_REGISTRY_PASSWORD|CI_JOB_TOKEN)$/;

/** What may let the executor into registries, though nobody here has credentials: the identity of its pod, or what the pod is given. */
export function podCredentials({
  serviceAccount,
  podTemplate,
  additionalMounts,
  env,
  envFrom,
}: Pick<ResolvedKanikoDriverOptions, "serviceAccount" | "podTemplate" | "additionalMounts" | "env" | "envFrom">):
  string | undefined {
  const named = podTemplate.spec?.serviceAccountName;
  const account = typeof named === "string" ? named : serviceAccount;
  if (account !== undefined) return `service account ${account}`;
  const mount = additionalMounts.find(({ mountPath }) => isConfigPath(mountPath));
  if (mount !== undefined) return `the mount at ${mount.mountPath}`;
  const variable = [...Object.keys(env), ...Object.keys(envFrom)].find((name) => credentialVariable.test(name));
  return variable === undefined ? undefined : `environment variable ${variable}`;
}

function isConfigPath(path: string): boolean {
  return `${path}/`.startsWith(`${dockerConfigFolder}/`);
}
