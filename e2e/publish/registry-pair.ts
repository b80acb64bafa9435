import type { Keychain } from "@slipway/core";
import { createRegistryClient, type RegistryClient } from "@slipway/registry-client";

import { startDebianRegistry, type DebianRegistry } from "../support/registries/start-debian-registry.ts";
import { startDistribution, type DistributionProcess } from "../support/registries/start-distribution.ts";
import { startTokenServer } from "../support/registries/start-token-server.ts";

const user = { username: "publisher", password: "a password: with a colon" };

/** Two registries of different make: one asks for a password, the other one for a token. */
export interface RegistryPair extends AsyncDisposable {
  readonly debian: DebianRegistry;
  readonly distribution: DistributionProcess;
  /** A client of either, also through a proxy. */
  readonly connect: (registry: string) => RegistryClient;
}

/** Starts both. */
export async function startRegistryPair(): Promise<RegistryPair> {
  await using stack = new AsyncDisposableStack();
  const { username, password } = user;
  const rights = { "*": ["pull", "push"] } as const;
  const tokenServer = stack.use(await startTokenServer({ users: { [username]: { password, rights } } }));
  const distribution = stack.use(await startDistribution({ auth: { token: tokenServer } }));
  const debian = stack.use(await startDebianRegistry({ htpasswd: { [username]: password } }));
  const credentials: Keychain = {
    resolve: () => Promise.resolve([{ type: "basic", source: "the test", ...user }]),
  };
  const owned = stack.move();
  return {
    debian,
    distribution,
    connect: (registry) => owned.use(createRegistryClient({ registry, credentials })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
