import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { parseOptions } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, OptionsShape, RegistryResource } from "@slipway/core";
import * as z from "zod/mini";

import { helperServerUrl } from "./cluster-helper.ts";
import type { CredentialCache } from "./credential-cache.ts";
import { createCredentialCache } from "./credential-cache.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import { parseDockerAuthVariable } from "./docker-cli/docker-cli-config.ts";
import { parseDockerConfigFile } from "./docker-config-file.ts";
import type { AskHelper } from "./find-credentials.ts";
import { findCredentials } from "./find-credentials.ts";
import { GoJsonError } from "./go-semantics/go-json.ts";
import { invalidCredentials } from "./invalid-credentials.ts";
import type { KeychainContent, RankedCredential } from "./keychain-content.ts";
import { keychainOf } from "./keychain-content.ts";
import { parseRegistryScope, withoutUserInfo } from "./registry-scope.ts";

/** Where to find Docker's configuration. */
export interface DockerConfigOptions {
  /** The file. @defaultValue `config.json` in the folder `DOCKER_CONFIG`, else in `~/.docker`; nothing if there is none */
  readonly path?: string | undefined;
  /** How long a credential helper may take, in milliseconds. @defaultValue 30,000 */
  readonly helperTimeoutMs?: number | undefined;
}

const dockerConfigOptionsSchema = z.strictObject({
  path: z.optional(z.string().check(z.minLength(1))),
  helperTimeoutMs: z.optional(z.int().check(z.positive())),
} satisfies OptionsShape<DockerConfigOptions>);

/**
 * The credentials that `docker login` keeps on this machine, with its credential helpers, which are run as Docker runs them: what the variable
 * `DOCKER_AUTH_CONFIG` holds comes first, then the helpers, then the file itself. All is read anew each time, so a fresh login needs no
 * restart; the answer of a helper is kept for 5 seconds, or for 80 % of the life that a token states, but no longer than 5 minutes.
 *
 * @throws `INVALID_OPTIONS` at once for wrong options; later, when a build needs credentials, for a file that was named and is not there, and for
 * one that cannot be read or a helper that fails, unless the builder goes on with a warning.
 */
export function dockerConfig(options: DockerConfigOptions = {}): Keychain {
  const { path, helperTimeoutMs = 30_000 } = parseOptions(dockerConfigOptionsSchema, options, "dockerConfig");
  const cache = createCredentialCache();
  const find = async (resource: RegistryResource, call: KeychainCall): Promise<readonly RankedCredential[]> => {
    const variable = readVariable();
    const ask = localHelper(helperTimeoutMs, call, cache);
    return [
      ...(await findCredentials(variable, resource, call, ask)),
      ...(await findCredentials(await readFileContent(path), resource, call, ask)),
    ];
  };
  return keychainOf({
    read: async () => {
      const [variable, file] = [readVariable(), await readFileContent(path)];
      return {
        entries: [...variable.entries, ...file.entries],
        problems: [...variable.problems, ...file.problems],
      };
    },
    find,
  });
}

function localHelper(timeoutMs: number, { signal }: KeychainCall, cache: CredentialCache): AskHelper {
  return async ({ source, key, scope, helper }, resource) => {
    const serverUrl = helperServerUrl(key, scope, resource);
    return cache.get(`${source} ${helper} ${serverUrl}`, signal, () =>
      askCredentialHelper({ helper, serverUrl, source, timeoutMs, signal }),
    );
  };
}

const variableName = "DOCKER_AUTH_CONFIG";

/** What Docker's own command line takes from the environment, and no more: it ignores the variable for anything else in it. */
function readVariable(): KeychainContent {
  const text = process.env[variableName];
  if (text === undefined || text === "") return { entries: [], problems: [] };
  const source = `variable ${variableName}`;
  try {
    const entries = [...parseDockerAuthVariable(text)].map(([written, { username, password }]) => {
      const key = withoutUserInfo(written);
      const scope = parseRegistryScope(key);
      const limit = scope.path.length === 0 ? {} : { scope: scope.path.join("/") };
      const credential: Credential = { source, ...limit, type: "basic", username, password };
      return { type: "credential" as const, source, key, scope, credential };
    });
    return { entries, problems: [] };
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    return {
      entries: [],
      problems: [{ source, message: `The ${source} cannot be read: ${error.message}. Docker ignores it too` }],
    };
  }
}

function defaultPath(): string {
  const folder = process.env["DOCKER_CONFIG"];
  return join(folder === undefined || folder === "" ? join(homedir(), ".docker") : folder, "config.json");
}

function abbreviateHome(path: string): string {
  const home = homedir();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

/** @param path - Of a file that has to be there; without it, of one that may. */
async function readFileContent(path: string | undefined): Promise<KeychainContent> {
  const file = path ?? defaultPath();
  const source = `docker config ${abbreviateHome(file)}`;
  const read = await tryRead(file);
  if ("text" in read) return parseDockerConfigFile(read.text, source);
  const { code } = read;
  if (code === "ENOENT" && path === undefined) return { entries: [], problems: [] };
  const message = `Cannot read ${source} (${code}). Run docker login, or name another file`;
  if (code === "ENOENT") throw invalidCredentials(source, message);
  return { entries: [], problems: [{ source, message }] };
}

async function tryRead(path: string): Promise<{ readonly text: string } | { readonly code: string }> {
  try {
    return { text: await readFile(path, "utf8") };
  } catch (error) {
    return { code: error instanceof Error && "code" in error ? String(error.code) : String(error) };
  }
}
