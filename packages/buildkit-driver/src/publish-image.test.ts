import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { buffer } from "node:stream/consumers";

import { expect, it, onTestFinished } from "vitest";

import type { RegistrySite } from "./pod-registries.ts";
import { publishImage } from "./publish-image.ts";
import type { BuiltImages } from "./version-tag.ts";

const mediaType = "application/vnd.oci.image.index.v1+json";
const [first, second] = ["first", "second"].map((name) =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [], annotations: { name } })),
) as [Buffer, Buffer];

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** A registry as the builder's pod reaches it, in which the tag `main` stands for `images` one after the other, and then for the last. */
async function publish(images: readonly Buffer[]) {
  const stored = new Map<string, Buffer>();
  let asked = 0;
  const server = createServer((request, response) => {
    void (async () => {
      const { method, url = "" } = request;
      const name = url.split("/").at(-1) ?? "";
      if (method === "PUT") {
        stored.set(name, await buffer(request));
        return response.writeHead(201).end();
      }
      const tagged = url.endsWith("/src/manifests/main") ? images[Math.min(asked++, images.length - 1)] : undefined;
      const found = tagged ?? (url.includes("/src/") ? images.find((image) => digestOf(image) === name) : undefined);
      if (found === undefined) return response.writeHead(404).end();
      const length = found.length;
      response.writeHead(200, {
        "content-type": mediaType,
        "docker-content-digest": digestOf(found),
        "content-length": length,
      });
      return response.end(method === "HEAD" ? undefined : found);
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const cluster = { namespace: "builds", exec: () => Promise.resolve({ stdio: connect(port, "127.0.0.1") }) };
  const site = { cluster, target: { name: "pod" }, registries: { "reg.example.com": { http: true } } };
  const built = { versionTag: (digest: string) => Promise.resolve(`v-${digest.slice(7, 15)}`) };
  const logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const credentials = { resolve: () => Promise.resolve([]) };
  const call = {
    signal: new AbortController().signal,
    emit: () => undefined,
    warn: () => undefined,
    credentials,
    logger,
  };
  const options = { source: "reg.example.com/src:main", destinations: ["reg.example.com/dest"], referrers: false };
  const result = publishImage(options, site as unknown as RegistrySite, built as unknown as BuiltImages, call);
  return { result, stored };
}

it("publishes the image that the version is of, whatever its tag has come to stand for", async () => {
  const { result, stored } = await publish([first, second]);
  expect((await result).digest).toBe(digestOf(first));
  expect(stored.get(`v-${digestOf(first).slice(7, 15)}`)).toEqual(first);
});

it("says that the source is not there, and not that it has no version", async () => {
  const { result } = await publish([]);
  await expect(result).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining("reg.example.com does not have it") as string,
  });
});
