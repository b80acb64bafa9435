import type { KeychainCall } from "@slipway/core";
import { expect, it } from "vitest";

import { startLocalServer } from "./__fixtures__/local-server.ts";
import { createRegistryClient } from "./registry-client.ts";

class Cluster {
  readonly #warnings: string[] = [];
  get helperSite(): string {
    return "builds/helper";
  }
  warn(message: string): void {
    this.#warnings.push(message);
  }
  warnings(): readonly string[] {
    return this.#warnings;
  }
}

it("a keychain gets what an instance of a class can do", async () => {
  using server = await startLocalServer((_request, response) =>
    response.writeHead(401, { "www-authenticate": 'Basic realm="registry"' }).end(),
  );
  const cluster = new Cluster();
  const calls: KeychainCall[] = [];
  const credentials = {
    resolve: (_resource: unknown, call: KeychainCall) => {
      calls.push(call);
      call.warn?.("asked");
      return Promise.resolve([]);
    },
  };
  const options = { registry: server.host, credentials, keychainCall: cluster, retryDelaysMs: [] };
  await using client = createRegistryClient(options);
  await expect(client.checkPush("team/api")).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  expect(calls[0]).toMatchObject({ helperSite: "builds/helper" });
  expect(cluster.warnings()).toContain("asked");
});
