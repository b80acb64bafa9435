import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ensureProgram } from "../../../dev-cluster/src/index.ts";
import { startHostProcess } from "./host-process.ts";
import { hashPasswords, type Passwords } from "./password-file.ts";
import { htpasswdSettings, tokenSettings } from "./registry-settings.ts";
import type { TokenAuthority } from "./token-authority.ts";

/** How a registry asks who comes. */
export type RegistryAuth = { readonly htpasswd: Passwords } | { readonly token: TokenAuthority };

/** How to start distribution 3. */
export interface DistributionOptions {
  /** @defaultValue everybody may do everything */
  readonly auth?: RegistryAuth;
}

/** A registry on a port of its own of this machine, over plain HTTP; deletion is allowed. Disposing ends it and deletes its data. */
export interface DistributionProcess extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly pid: number;
  /** Where its data lie: uploads that are open are below `docker/registry/v2/repositories/<repository>/_uploads`. */
  readonly folder: string;
  /** The requests so far, as the combined log format has them. */
  accessLog(): readonly string[];
  /** With `htpasswd`: counts from the next request on. */
  setPasswords(passwords: Passwords): Promise<void>;
}

/** Starts distribution 3 on loopback; its binary is built from its public module on first use. */
export async function startDistribution({ auth }: DistributionOptions = {}): Promise<DistributionProcess> {
  const binary = await ensureProgram("registry");
  const root = await mkdtemp(join(tmpdir(), "slipway-registry-"));
  const folder = join(root, "data");
  await mkdir(folder);
  const files = { config: join(root, "config.json"), passwords: join(root, "htpasswd"), jwks: join(root, "jwks.json") };
  const setPasswords = async (passwords: Passwords): Promise<void> => {
    await writeFile(`${files.passwords}.new`, await hashPasswords(passwords));
    await rename(`${files.passwords}.new`, files.passwords);
  };
  await writeFile(files.config, JSON.stringify(distributionConfig(folder)));
  if (auth !== undefined && "htpasswd" in auth) await setPasswords(auth.htpasswd);
  if (auth !== undefined && "token" in auth) await writeFile(files.jwks, auth.token.jwks);
  const server = startHostProcess([binary, "serve", files.config], {
    OTEL_TRACES_EXPORTER: "none",
    ...(auth === undefined ? {} : authSettings(auth, files)),
  });
  const stop = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  };
  try {
    const host = await server.find((line) => /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]);
    return {
      host,
      pid: server.pid,
      folder,
      accessLog: () => server.lines.filter((line) => line.startsWith("127.0.0.1 ")),
      setPasswords,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function authSettings(
  auth: RegistryAuth,
  files: { passwords: string; jwks: string },
): Readonly<Record<string, string>> {
  return "htpasswd" in auth ? htpasswdSettings(files.passwords) : tokenSettings(auth.token, files.jwks);
}

/** JSON is YAML, too. */
function distributionConfig(folder: string): object {
  return {
    version: "0.1",
    log: { level: "info", formatter: "json" },
    storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0", secret: randomBytes(16).toString("hex") },
  };
}
