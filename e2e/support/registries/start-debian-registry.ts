import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createArtifactStore } from "../../../dev-cluster/src/artifact-store.ts";
import { cacheFolder } from "../../../dev-cluster/src/cluster-paths.ts";
import { programPackagesArtifact } from "../../../dev-cluster/src/deb-packages.ts";
import { startHostProcess } from "./host-process.ts";
import { hashPasswords, type Passwords } from "./password-file.ts";

/** How to start distribution 2. */
export interface DebianRegistryOptions {
  /** Passwords that it asks for. @defaultValue everybody may do everything */
  readonly htpasswd?: Passwords;
}

/** A registry of version 2 on a port of its own of this machine, over plain HTTP; deletion is allowed. Disposing ends it and deletes its data. */
export interface DebianRegistry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  /** Where its data lie, laid out as those of distribution 3. */
  readonly folder: string;
}

/** Starts the registry that Debian ships, distribution 2.8: what many clusters still run. */
export async function startDebianRegistry({ htpasswd }: DebianRegistryOptions = {}): Promise<DebianRegistry> {
  const store = createArtifactStore(cacheFolder());
  const root = await mkdtemp(join(tmpdir(), "slipway-registry-"));
  const folder = join(root, "data");
  await mkdir(folder);
  const files = { config: join(root, "config.json"), passwords: join(root, "htpasswd") };
  if (htpasswd !== undefined) await writeFile(files.passwords, await hashPasswords(htpasswd));
  const auth = { htpasswd: { realm: "slipway-e2e", path: files.passwords } };
  // JSON is YAML, too.
  const config = {
    version: "0.1",
    log: { level: "info", formatter: "json" },
    storage: { filesystem: { rootdirectory: folder }, delete: { enabled: true } },
    http: { addr: "127.0.0.1:0", secret: randomBytes(16).toString("hex") },
    ...(htpasswd === undefined ? {} : { auth }),
  };
  await writeFile(files.config, JSON.stringify(config));
  const unpacked = await store.ensure(programPackagesArtifact(store, "docker-registry", ["docker-registry"]));
  const server = startHostProcess([join(unpacked, "usr/bin/docker-registry"), "serve", files.config]);
  const stop = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  };
  try {
    const host = await server.find((line) => /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]);
    return { host, folder, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
