import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ensureGoProgram } from "./go-program.ts";
import { startHostProcess } from "./host-process.ts";
import {
  createTokenSigner,
  type TokenAuthority,
  type TokenRequest,
  type TokenServerOptions,
} from "./token-authority.ts";

/** A token server on a port of its own of this machine; disposing ends it. */
export interface TokenServer extends TokenAuthority, AsyncDisposable {
  /** Counts from the next request on. */
  configure(options: TokenServerOptions): Promise<void>;
  /** Who has asked for what so far. */
  requests(): Promise<readonly TokenRequest[]>;
}

/** Starts a token server on loopback. */
export async function startTokenServer(options: TokenServerOptions): Promise<TokenServer> {
  const signer = createTokenSigner();
  const binary = await ensureGoProgram("token-server");
  const folder = await mkdtemp(join(tmpdir(), "slipway-token-server-"));
  const file = join(folder, "config.json");
  const configure = async (changed: TokenServerOptions): Promise<void> => {
    await writeFile(`${file}.new`, signer.configuration(changed), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  await configure(options);
  const server = startHostProcess([binary, "-config", file]);
  const stop = async (): Promise<void> => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const address = await server.find((line) => /^\{"listening":"(.*)"\}$/.exec(line)?.[1]);
    return {
      realm: `http://${address}/token`,
      service: signer.service,
      issuer: signer.issuer,
      jwks: signer.jwks,
      configure,
      requests: async () => (await fetch(`http://${address}/requests`)).json() as Promise<readonly TokenRequest[]>,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
