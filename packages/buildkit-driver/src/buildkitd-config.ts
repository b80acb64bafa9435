/** How buildkitd reaches one registry. */
export interface RegistryAccess {
  /** Speak plain HTTP. @defaultValue `false` */
  readonly http?: boolean | undefined;
  /** Do not check the registry's certificate. @defaultValue `false` */
  readonly insecure?: boolean | undefined;
  /** PEM certificates of the authorities that sign the registry's certificate. */
  readonly ca?: string | undefined;
  /** `host[:port][/path]` of registries that are asked first for what is pulled from this one. */
  readonly mirrors?: readonly string[] | undefined;
  /** `host[:port]` under which the nodes pull from this registry, where it is another one: that of a NodePort, for example. @defaultValue the same */
  readonly nodeAddress?: string | undefined;
}

/** The files of buildkitd's configuration, by their name in {@link configFolder}. */
export type BuildkitdFiles = Readonly<Record<string, string>>;

/** Where the pod finds its configuration. */
export const configFolder = "/etc/slipway";

const configFile = "buildkitd.toml";

/**
 * The configuration of buildkitd. The worker's state is left at the image's default place, which differs for a rootless image; the
 * containerd worker is switched off because a node's own containerd is none of the builder's business.
 */
export function renderBuildkitdFiles(registries: Readonly<Record<string, RegistryAccess>>): BuildkitdFiles {
  const authorities: Record<string, string> = {};
  const lines: string[] = [];
  for (const [host, access] of Object.entries(registries).sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`[registry.${tomlString(host)}]`);
    if (access.http === true) lines.push("  http = true");
    if (access.insecure === true) lines.push("  insecure = true");
    if (access.mirrors !== undefined && access.mirrors.length > 0) {
      lines.push(`  mirrors = [${access.mirrors.map(tomlString).join(", ")}]`);
    }
    if (access.ca !== undefined) {
      const file = `ca-${Object.keys(authorities).length}.pem`;
      authorities[file] = access.ca;
      lines.push(`  ca = [${tomlString(`${configFolder}/${file}`)}]`);
    }
  }
  return { [configFile]: [...lines, ""].join("\n"), ...authorities };
}

/** The path of the file that `buildkitd --config` takes. */
export const configPath = `${configFolder}/${configFile}`;

/** A TOML basic string has JSON's escapes, and more. */
function tomlString(text: string): string {
  return JSON.stringify(text);
}
