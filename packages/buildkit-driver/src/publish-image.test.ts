import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type { PublishOptions } from "@slipway/core";
import { createRegistryClient } from "@slipway/registry-client";
import { expect, it, onTestFinished } from "vitest";

import { withVersionTag } from "./publish-image.ts";

const mediaType = "application/vnd.oci.image.index.v1+json";
const image = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [] }));
const digest = `sha256:${createHash("sha256").update(image).digest("hex")}`;

/** Asks for the version of `src:main` at a registry that has it, or has nothing. */
async function ask(isThere: boolean): Promise<{ readonly registry: string; readonly tagged: Promise<PublishOptions> }> {
  const headers = { "content-type": mediaType, "docker-content-digest": digest, "content-length": image.length };
  const server = createServer(({ method, url }, response) => {
    if (!isThere || url !== "/v2/src/manifests/main") response.writeHead(404).end();
    else response.writeHead(200, headers).end(method === "HEAD" ? undefined : image);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = createRegistryClient({ registry });
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  const options = { source: `${registry}/src:main`, destinations: [`${registry}/dest`] };
  const built = { versionTag: (of: string) => Promise.resolve(`v-of-${of.slice(7, 15)}`) };
  const { signal } = new AbortController();
  return { registry, tagged: withVersionTag(options, { client: () => client }, built, { signal }) };
}

it("a version goes with the image that it is of, whatever its tag comes to stand for", async () => {
  const { registry, tagged } = await ask(true);
  expect(await tagged).toMatchObject({
    source: `${registry}/src:main@${digest}`,
    versionTag: `v-of-${digest.slice(7, 15)}`,
  });
});

it("a source that is not there is named, and not that it has no version", async () => {
  const { registry, tagged } = await ask(false);
  await expect(tagged).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining(`${registry} does not have it`) as string,
  });
});
