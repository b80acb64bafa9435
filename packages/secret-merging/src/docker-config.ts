import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { parseOptions } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, RegistryResource } from "@slipway/core";
import * as z from "zod";

import { askCredentialHelper } from "./credential-helper.ts";
import type { DockerConfigFile } from "./docker-config-file.ts";
import { invalidCredentials, parseDockerConfigFile } from "./docker-config-file.ts";
import { findCredentials } from "./find-credentials.ts";
import { canonicalHost, dockerHubKey, scopeFit } from "./registry-scope.ts";

/** Where to find Docker's configuration. */
export interface DockerConfigOptions {
  /** The file. @defaultValue `config.json` in the folder `DOCKER_CONFIG`, else in `~/.docker`; nothing if there is none */
  readonly path?: string | undefined;
  /** How long a credential helper may take, in milliseconds. @defaultValue 30,000 */
  readonly helperTimeoutMs?: number | undefined;
}

const dockerConfigOptionsSchema = z.strictObject({
  path: z.string().min(1).optional(),
  helperTimeoutMs: z.int().positive().optional(),
}) satisfies z.ZodType<DockerConfigOptions>;

/**
 * The credentials that `docker login` keeps on this machine, with its credential helpers. The file is read anew each time,
 * so a fresh login needs no restart. Helpers come first, as in Docker; what the file itself says comes next.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later, when a build needs credentials, for a file that cannot be read or a helper that fails.
 */
export function dockerConfig(options: DockerConfigOptions = {}): Keychain {
  const { path, helperTimeoutMs = 30_000 } = parseOptions(dockerConfigOptionsSchema, options, "dockerConfig");
  return {
    resolve: async (resource, call) => {
      const file = path ?? defaultPath();
      const source = `docker config ${abbreviateHome(file)}`;
      const text = await readConfig(file, source, path === undefined);
      if (text === undefined) return [];
      const config = parseDockerConfigFile(text, source);
      const helped = await helperCredential(config, resource, {
        source,
        timeoutMs: helperTimeoutMs,
        signal: call.signal,
      });
      return [...(helped ? [helped] : []), ...findCredentials(config.entries, resource)];
    },
  };
}

function defaultPath(): string {
  return join(process.env["DOCKER_CONFIG"] ?? join(homedir(), ".docker"), "config.json");
}

function abbreviateHome(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

async function readConfig(path: string, source: string, optional: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (optional && code === "ENOENT") return undefined;
    throw invalidCredentials(source, `Cannot read ${source} (${code}). Run docker login, or name another file`);
  }
}

function helperCredential(
  config: DockerConfigFile,
  { registry }: RegistryResource,
  call: { source: string; timeoutMs: number } & Pick<KeychainCall, "signal">,
): Promise<Credential | undefined> {
  const host = canonicalHost(registry);
  const own = config.credHelpers.find(({ scope }) => scopeFit(scope, host, undefined) !== undefined);
  const helper = own?.helper ?? config.credsStore;
  // An empty name switches the store off for one registry.
  if (helper === undefined || helper === "") return Promise.resolve(undefined);
  const serverUrl = host === "docker.io" ? dockerHubKey : (own?.key ?? registry);
  return askCredentialHelper({ helper, serverUrl, ...call });
}
