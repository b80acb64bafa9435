import type { PublishedImage } from "@slipway/core";
import { publishRefused } from "@slipway/core/errors";
import { expect, it, vi } from "vitest";

import type { Content } from "../__fixtures__/content.ts";
import { descriptorOf, manifestOf, manifestType } from "../__fixtures__/content.ts";
import type { LocalServer } from "../__fixtures__/local-server.ts";
import { startLocalServer } from "../__fixtures__/local-server.ts";
import { computeDigest } from "../manifest.ts";
import { createRegistryClient } from "../registry-client.ts";
import { copyImage } from "./copy-image.ts";
import type { CopyImageOptions } from "./copy-options.ts";

const config: Content = {
  mediaType: "application/octet-stream",
  bytes: Buffer.from('{"os":"linux","architecture":"amd64"}'),
};
const image = manifestOf(manifestType, { config: descriptorOf(config), layers: [] });
const digest = computeDigest(image.bytes);

/** A registry that has the image under the tag `1` of `team/app`, and takes whatever goes to other repositories than `denied` and `full`. */
async function startRegistry(): Promise<LocalServer & { readonly tagged: string[] }> {
  const tagged: string[] = [];
  const server = await startLocalServer(({ method = "", url = "" }, response) => {
    const { pathname } = new URL(url, "http://registry");
    const [, repository = "", name = ""] = /^\/v2\/(.+)\/(?:manifests|blobs)\/(.+)$/.exec(pathname) ?? [];
    const content = name === computeDigest(config.bytes) ? config : image;
    const isThere = repository === "team/app" && ["1", digest, computeDigest(config.bytes)].includes(name);
    if (repository === "denied") response.writeHead(403).end();
    else if (method === "GET" || method === "HEAD") {
      const { mediaType, bytes } = content;
      const fields = { "content-type": mediaType, "content-length": bytes.length };
      if (isThere) response.writeHead(200, { ...fields, "docker-content-digest": computeDigest(bytes) });
      else response.writeHead(404);
      response.end(isThere && method === "GET" ? bytes : undefined);
    } else if (repository === "full") response.writeHead(400).end();
    else if (method === "POST") response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1` }).end();
    else {
      if (method === "PUT" && !name.includes(":") && !name.startsWith("uploads/")) tagged.push(`${repository}:${name}`);
      response.writeHead(201).end();
    }
  });
  return { ...server, [Symbol.dispose]: () => server[Symbol.dispose](), tagged };
}

async function publish(
  { host }: LocalServer,
  destinations: readonly string[],
  beforeTag: (published: PublishedImage) => void,
  options: Pick<CopyImageOptions, "platforms"> = {},
): Promise<void> {
  await using clients = new AsyncDisposableStack();
  await copyImage({
    source: `${host}/team/app:1`,
    destinations: destinations.map((name) => `${host}/${name}`),
    connect: (registry) => clients.use(createRegistryClient({ registry, retryDelaysMs: [] })),
    beforeTag,
    ...options,
  });
}

it("is told where tags will move, where they stand already, and where the image is not", async () => {
  using registry = await startRegistry();
  const asked: PublishedImage[] = [];
  const destinations = ["denied:1", "team/app:1", "fresh:1", "full:1"];
  const publishing = publish(registry, destinations, (published) => void asked.push(published));
  await expect(publishing).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  const at = (repository: string): string => `${registry.host}/${repository}@${digest}`;
  expect(asked).toEqual([
    {
      digest,
      references: [at("fresh")],
      unchanged: [at("team/app")],
      failed: [
        {
          reference: at("denied"),
          code: "REGISTRY_UNAUTHORIZED",
          message: expect.stringContaining("denied") as string,
          retryable: false,
        },
        {
          reference: at("full"),
          code: "REGISTRY_REFUSED",
          message: expect.stringContaining("full") as string,
          retryable: false,
        },
      ],
      platforms: [{ platform: "linux/amd64", digest }],
    },
  ]);
  expect(registry.tagged).toEqual(["fresh:1"]);
});

it("can make it all or nothing", async () => {
  using registry = await startRegistry();
  const publishing = publish(registry, ["denied:1", "fresh:1"], ({ failed }) => {
    if (failed.length > 0) throw new Error(failed.map(({ reference, code }) => `${reference}: ${code}`).join());
  });
  await expect(publishing).rejects.toMatchObject({
    code: "PUBLISH_REFUSED",
    details: { reason: expect.stringContaining(`denied@${digest}: REGISTRY_UNAUTHORIZED`) as string },
  });
  expect(registry.tagged).toEqual([]);
});

const denied = {
  code: "REGISTRY_UNAUTHORIZED",
  message: expect.stringMatching(/^[\d.:]+\/denied:1: /) as string,
};

it.each<[string, () => Error]>([
  ["an error", () => new Error("not scanned")],
  // What a builder's gate makes of that error before it gets here.
  ["a refusal", () => publishRefused("app", new Error("not scanned"))],
])("whose refusal is %s loses no failure of a destination", async (_, refuse) => {
  using registry = await startRegistry();
  const refused = publish(registry, ["denied:1", "fresh:1", "full:1"], () => {
    throw refuse();
  });
  await expect(refused).rejects.toMatchObject({
    code: "PUBLISH_REFUSED",
    details: { reason: "Error: not scanned" },
    cause: { errors: [{ message: "not scanned" }, denied, { code: "REGISTRY_REFUSED" }] },
  });
  expect(registry.tagged).toEqual([]);
});

it("is the only cause of a refusal where no destination has failed", async () => {
  using registry = await startRegistry();
  const thrown = new Error("not scanned");
  const refused = publish(registry, ["fresh:1"], () => {
    throw thrown;
  });
  await expect(refused).rejects.toHaveProperty("cause", thrown);
});

it("is not asked about an image without the platform, which is refused in words for publish and copyImage alike", async () => {
  using registry = await startRegistry();
  const beforeTag = vi.fn<() => void>();
  const copying = publish(registry, ["fresh:1"], beforeTag, { platforms: ["linux/s390x"] });
  await expect(copying).rejects.toMatchObject({
    code: "INVALID_OPTIONS",
    message: expect.stringMatching(/^Invalid options for publishing: platforms: .*linux\/s390x is asked for/) as string,
  });
  expect(beforeTag).not.toHaveBeenCalled();
});

it("is told of empty lists where every tag will move, and nothing where none will", async () => {
  using registry = await startRegistry();
  const asked: PublishedImage[] = [];
  await publish(registry, ["fresh:1"], (published) => void asked.push(published));
  expect(asked).toMatchObject([{ unchanged: [], failed: [] }]);
  await publish(registry, ["team/app:1"], (published) => void asked.push(published));
  const failing = publish(registry, ["team/app:1", "denied:1"], (published) => void asked.push(published));
  await expect(failing).rejects.toMatchObject({ code: "REGISTRY_UNAUTHORIZED" });
  expect(asked).toHaveLength(1);
});
