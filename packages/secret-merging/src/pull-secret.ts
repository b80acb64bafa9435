import { parseOptions } from "@slipway/core";
import type { Keychain, SecretData } from "@slipway/core";
import * as z from "zod";

import type { DockerConfigFile } from "./docker-config-file.ts";
import { invalidCredentials, parseDockerConfigFile, parseLegacyDockerConfig } from "./docker-config-file.ts";
import { findCredentials } from "./find-credentials.ts";

/** Which Secret of the cluster holds the credentials. */
export interface PullSecretOptions {
  readonly name: string;
  /** @defaultValue the namespace of the builder */
  readonly namespace?: string | undefined;
}

const pullSecretOptionsSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, "Is no name of a Secret"),
  namespace: z.string().min(1).optional(),
}) satisfies z.ZodType<PullSecretOptions>;

/**
 * The credentials in a Secret of the cluster where the builder lives: of type `kubernetes.io/dockerconfigjson`, `kubernetes.io/dockercfg`, or
 * `Opaque` with a key `config.json`. It is read anew each time, so a rotated one needs no restart.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later, when a build needs credentials, for a Secret that is missing or holds something else.
 */
export function pullSecret(options: PullSecretOptions): Keychain {
  const { name, namespace } = parseOptions(pullSecretOptionsSchema, options, "pullSecret");
  const wanted = namespace === undefined ? `secret ${name}` : `secret ${namespace}/${name}`;
  return {
    resolve: async (resource, call) => {
      if (call.readSecret === undefined) {
        throw invalidCredentials(
          wanted,
          `This builder has no cluster to read the ${wanted} from. Use dockerConfig() instead`,
        );
      }
      const secret = await call.readSecret({ name, ...(namespace === undefined ? {} : { namespace }) });
      if (secret === undefined) throw missing(wanted, name, namespace);
      return findCredentials(readPullSecret(secret).entries, resource);
    },
  };
}

function missing(wanted: string, name: string, namespace: string | undefined): Error {
  const inNamespace = namespace === undefined ? "" : ` --namespace ${namespace}`;
  const remedy = `kubectl create secret docker-registry ${name}${inNamespace} --docker-server=…`;
  return invalidCredentials(wanted, `The ${wanted} does not exist. Create it with ${remedy}`);
}

const dataKeys = [".dockerconfigjson", "config.json", ".dockercfg"] as const;

/** Reads what a Secret knows about registries. Throws `INVALID_OPTIONS`, naming the Secret, if it is none for that. */
export function readPullSecret(secret: SecretData): DockerConfigFile {
  const source = `secret ${secret.namespace}/${secret.name}`;
  const key = dataKeys.find((candidate) => secret.data[candidate] !== undefined);
  const bytes = key === undefined ? undefined : secret.data[key];
  if (bytes === undefined) {
    throw invalidCredentials(
      source,
      `The ${source} of type ${secret.type} has none of the keys ${dataKeys.join(", ")}. Use one of type kubernetes.io/dockerconfigjson`,
    );
  }
  const text = Buffer.from(bytes).toString("utf8");
  return key === ".dockercfg" ? parseLegacyDockerConfig(text, source) : parseDockerConfigFile(text, source);
}
