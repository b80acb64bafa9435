import { afterEach, expect, test } from "vitest";

import { startLocalServer, type LocalHandler } from "../__fixtures__/local-server.ts";
import {
  computeDigest,
  createRegistryClient,
  findImage,
  manifestMediaTypes,
  recordIdentity,
  type RegistryClient,
} from "../index.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

const [indexType, manifestType] = manifestMediaTypes;
const identity = `sha256:${"1".repeat(64)}`;
const repository = "team/api";

interface StoredManifest {
  readonly type: string;
  readonly bytes: Buffer;
}

/** A registry in memory with one repository. Without `listsReferrers` it knows no such request, as distribution does. */
async function startRegistry({ listsReferrers = false } = {}) {
  const manifests = new Map<string, StoredManifest>();
  const blobs = new Map<string, Buffer>();
  const writes: string[] = [];
  const put = (type: string, content: object, tag?: string): string => {
    const bytes = Buffer.from(JSON.stringify(content));
    const digest = computeDigest(bytes);
    for (const key of [digest, tag ?? digest]) manifests.set(key, { type, bytes });
    return digest;
  };
  const referrersOf = (digest: string): object[] =>
    [...manifests].flatMap(([key, { type, bytes }]) => {
      const { subject, artifactType, annotations } = JSON.parse(bytes.toString()) as Record<
        string,
        { digest?: string }
      >;
      const isListed = subject?.digest === digest && key.startsWith("sha256:");
      return isListed ? [{ mediaType: type, digest: key, size: bytes.length, artifactType, annotations }] : [];
    });
  const answer: LocalHandler = (request, response, body) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://registry");
    const [, kind = "", key = ""] = /^\/v2\/team\/api\/(\w+)\/(.*)$/.exec(pathname) ?? [];
    const send = (status: number, type: string, bytes?: Buffer): void => {
      if (bytes === undefined) return void response.writeHead(404).end();
      const headers = {
        "content-type": type,
        "content-length": bytes.length,
        "docker-content-digest": computeDigest(bytes),
      };
      response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : bytes);
    };
    if (request.method === "PUT" && kind === "manifests") {
      const type = request.headers["content-type"] ?? "";
      put(type, JSON.parse(body.toString()) as object, key);
      writes.push(`${kind} ${key.replace(/^sha256:.*/, "by digest")}`);
      response.writeHead(201, listsReferrers ? { "oci-subject": "sha256:0" } : {}).end();
    } else if (request.method === "POST")
      response.writeHead(202, { location: `/v2/${repository}/blobs/uploads/1` }).end();
    else if (request.method === "PUT") {
      blobs.set(searchParams.get("digest") ?? "", body);
      writes.push("blob");
      response.writeHead(201).end();
    } else if (kind === "referrers" && listsReferrers)
      send(200, indexType, Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: referrersOf(key) })));
    else if (kind === "blobs") send(200, "application/octet-stream", blobs.get(key));
    else if (kind === "referrers") send(404, "");
    else send(200, manifests.get(key)?.type ?? "", manifests.get(key)?.bytes);
  };
  const server = await startLocalServer(answer);
  cleanups.push(() => server[Symbol.dispose]());
  const { host: registry } = server;
  const putImage = (architecture: string, tag?: string): string => {
    const config = Buffer.from(JSON.stringify({ os: "linux", architecture }));
    blobs.set(computeDigest(config), config);
    const descriptor = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: computeDigest(config),
      size: config.length,
    };
    return put(manifestType, { schemaVersion: 2, mediaType: manifestType, config: descriptor, layers: [] }, tag);
  };
  const putIndex = (tag: string, architectures: readonly string[]): string[] => {
    const digests = architectures.map((architecture) => putImage(architecture));
    const entries = digests.map((digest, index) => ({
      ...{ mediaType: manifestType, digest, size: manifests.get(digest)?.bytes.length },
      platform: { os: "linux", architecture: architectures[index] },
    }));
    return [put(indexType, { schemaVersion: 2, mediaType: indexType, manifests: entries }, tag), ...digests];
  };
  /** An index as BuildKit makes it with provenance. */
  const putAttested = (tag: string, image: string): string => {
    const attestation = putImage("unknown");
    const entry = (digest: string) => ({ mediaType: manifestType, digest, size: manifests.get(digest)?.bytes.length });
    const annotations = { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image };
    const entries = [
      { ...entry(image), platform: { os: "linux", architecture: "amd64" } },
      { ...entry(attestation), platform: { os: "unknown", architecture: "unknown" }, annotations },
    ];
    put(indexType, { schemaVersion: 2, mediaType: indexType, manifests: entries }, tag);
    return attestation;
  };
  const client = createRegistryClient({ registry, retryDelaysMs: [] });
  return { client, manifests, blobs, writes, putImage, putIndex, putAttested, name: `${registry}/${repository}` };
}

function find(client: RegistryClient, reference: string, platforms: readonly string[] = []) {
  return findImage(client, { reference, platforms });
}

test("an image for one platform is found with the platform that its configuration names", async () => {
  const { client, name, putImage } = await startRegistry();
  const digest = putImage("arm64", "v1");
  const reference = `${name}@${digest}`;
  const image = { digest, reference, platforms: [{ platform: "linux/arm64", digest }], identities: [] };
  expect(await find(client, `${name}:v1`)).toEqual(image);
  expect(await find(client, reference)).toEqual(image);
  expect(await find(client, `${name}:v1`, ["linux/arm64/v8"])).toEqual(image);
  expect(await find(client, `${name}:v1`, ["linux/amd64"])).toBeUndefined();
  expect(await find(client, `${name}:v2`)).toBeUndefined();
});

test("an image without its configuration is not there", async () => {
  const { client, name, putImage, blobs } = await startRegistry();
  putImage("arm64", "v1");
  blobs.clear();
  expect(await find(client, `${name}:v1`)).toBeUndefined();
});

test("an index is found with all its platforms, and not without one of its images", async () => {
  const { client, name, putIndex, manifests } = await startRegistry();
  const [digest = "", amd64 = "", arm64 = ""] = putIndex("v1", ["amd64", "arm64"]);
  const platforms = [
    { platform: "linux/amd64", digest: amd64 },
    { platform: "linux/arm64", digest: arm64 },
  ];
  const wanted = ["linux/amd64", "linux/arm64"];
  expect(await find(client, `${name}:v1`, wanted)).toMatchObject({ digest, platforms });
  expect(await find(client, `${name}:v1`, ["linux/s390x"])).toBeUndefined();
  manifests.delete(arm64);
  expect(await find(client, `${name}:v1`, wanted)).toBeUndefined();
});

test("an index is not there without what was attested of its images", async () => {
  const { client, name, putIndex, putAttested, manifests } = await startRegistry();
  const [, image = ""] = putIndex("plain", ["amd64"]);
  const attestation = putAttested("v1", image);
  expect((await find(client, `${name}:v1`))?.platforms).toEqual([{ platform: "linux/amd64", digest: image }]);
  manifests.delete(attestation);
  expect(await find(client, `${name}:v1`)).toBeUndefined();
});

test.each([true, false])(
  "an identity is found with its image and no other; a registry lists referrers: %s",
  async (listsReferrers) => {
    const { client, name, putImage, writes } = await startRegistry({ listsReferrers });
    const reference = `${name}@${putImage("amd64", "v1")}`;
    putImage("arm64", "v2");
    await recordIdentity(client, { reference, identity });
    expect((await find(client, `${name}:v1`))?.identities).toEqual([identity]);
    expect((await find(client, `${name}:v2`))?.identities).toEqual([]);
    const written = writes.length;
    await recordIdentity(client, { reference, identity });
    expect((await find(client, `${name}:v1`))?.identities).toEqual([identity]);
    expect(writes.slice(written)).toEqual(["manifests by digest"]);
    const second = `sha256:${"2".repeat(64)}`;
    await recordIdentity(client, { reference, identity: second });
    const identities = (await find(client, `${name}:v1`))?.identities ?? [];
    expect(identities.toSorted()).toEqual([identity, second]);
  },
);

test("the identity of an image that is not there is not recorded", async () => {
  const { client, name, writes } = await startRegistry();
  await expect(recordIdentity(client, { reference: `${name}@${identity}`, identity })).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
  });
  expect(writes).toEqual([]);
});
