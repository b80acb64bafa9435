import { fromByteText, toByteText } from "../go-semantics/byte-text.ts";
import { GoJsonError } from "../go-semantics/go-json.ts";
import { parseGoUrl, splitUrlHost } from "../go-semantics/parse-go-url.ts";
import { dockerHubKey } from "../registry-scope.ts";
import type { DockerCliConfig, DockerCliEntry } from "./docker-cli-config.ts";
import { parseDockerAuthVariable, parseDockerCliConfig } from "./docker-cli-config.ts";

/** Where Docker's command line takes a login from. */
export type DockerCliLookup =
  | { readonly type: "none" }
  /** Docker refuses the file. */
  | { readonly type: "failure"; readonly problem: string }
  /** Docker asks a credential helper, whatever `auths` has; only a registry token stays from there. */
  | {
      readonly type: "helper";
      readonly helper: string;
      readonly serverUrl: string;
      readonly entries: readonly DockerCliEntry[];
    }
  /** Several entries if they mean the same host: Docker takes any of them, not always the same. */
  | { readonly type: "entries"; readonly from: "file" | "variable"; readonly entries: readonly DockerCliEntry[] };

/** What Docker's command line reads. */
export interface DockerCliSettings {
  /** The text of `config.json`. */
  readonly config: string;
  /** The variable `DOCKER_AUTH_CONFIG`. @defaultValue not set */
  readonly authVariable?: string | undefined;
}

/**
 * Finds a registry's login exactly as Docker's command line does it (docker/cli 29, `cli/config`): one login per host, no paths, a helper
 * hides what the file itself says.
 *
 * @param host - As in an image reference: `docker.io`, `registry.example.com:5000`.
 */
export function dockerCliLookup({ config, authVariable = "" }: DockerCliSettings, host: string): DockerCliLookup {
  const key = host === "docker.io" || host === "index.docker.io" ? dockerHubKey : host;
  try {
    const file = parseDockerCliConfig(config);
    const given = readVariable(authVariable).get(key);
    if (given !== undefined) return { type: "entries", from: "variable", entries: [given] };
    return lookInFile(file, key);
  } catch (error) {
    if (error instanceof GoJsonError) return { type: "failure", problem: error.message };
    throw error;
  }
}

function readVariable(text: string): ReadonlyMap<string, DockerCliEntry> {
  try {
    return parseDockerAuthVariable(text);
  } catch (error) {
    if (error instanceof GoJsonError) return new Map();
    throw error;
  }
}

function lookInFile({ auths, credHelpers, credsStore }: DockerCliConfig, key: string): DockerCliLookup {
  const exact = auths.get(key);
  const entries =
    exact === undefined ? [...auths].filter(([name]) => hostnameOf(name) === key).map(([, entry]) => entry) : [exact];
  const helper = (key === "" ? undefined : credHelpers.get(key)) ?? credsStore;
  if (helper !== "") return { type: "helper", helper, serverUrl: key, entries };
  return entries.length === 0 ? { type: "none" } : { type: "entries", from: "file", entries };
}

/** The host that a key of `auths` means to Docker. */
function hostnameOf(key: string): string {
  const url = key.includes("://") ? parseGoUrl(toByteText(key)) : undefined;
  const { hostname, port } = splitUrlHost(url?.host ?? "");
  if (hostname === "") return key.split("/")[0] ?? "";
  const name = fromByteText(hostname);
  if (port === "") return name;
  return name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
}
