import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { BuilderError, type Credential, type Keychain } from "@slipway/core";
import {
  computeDigest,
  createNetworkTransport,
  createRegistryClient,
  type BlobUpload,
  manifestMediaTypes,
  type RegistryClient,
  type RegistryTransport,
} from "@slipway/registry-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startDebianRegistry } from "./support/registries/start-debian-registry.ts";
import { startDistribution } from "./support/registries/start-distribution.ts";
import { startTokenServer } from "./support/registries/start-token-server.ts";

const [indexType, manifestType] = manifestMediaTypes;

interface Registry extends AsyncDisposable {
  readonly host: string;
  readonly folder: string;
}

const passwords = { ann: "first:password" };
const ann: Credential = { source: "secret builds/ann", type: "basic", username: "ann", password: passwords.ann };
const stale: Credential = { ...ann, source: "secret builds/stale", password: "gone" };
const credentials: Keychain = { resolve: async () => [stale, ann] };

async function all(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
}

/** An index that lists nothing needs no blobs. */
function emptyIndex(name: string, more: object = {}): { mediaType: string; bytes: Uint8Array; digest: string } {
  const content = { schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { name }, ...more };
  const bytes = Buffer.from(JSON.stringify(content));
  return { mediaType: indexType, bytes, digest: computeDigest(bytes) };
}

async function pushBlob(
  client: RegistryClient,
  repository: string,
  text: string,
): Promise<{ digest: string; size: number }> {
  const bytes = Buffer.from(text);
  const digest = computeDigest(bytes);
  const upload = await client.startUpload(repository);
  if (upload === "mounted") throw new Error("nothing was to be mounted");
  await upload.write(bytes);
  await upload.finish(digest);
  return { digest, size: bytes.length };
}

/** Of a dropped upload distribution keeps a folder with the state of its hash; one that is open has a file that says since when. */
async function openUploads({ folder }: Registry, repository: string): Promise<string[]> {
  const uploads = join(folder, "docker/registry/v2/repositories", repository, "_uploads");
  const files = await readdir(uploads, { recursive: true });
  return files.filter((file) => basename(file) === "startedat");
}

describe.each([
  { name: "distribution 2.8", start: () => startDebianRegistry() },
  { name: "distribution 2.8 with passwords", start: () => startDebianRegistry({ htpasswd: passwords }) },
  { name: "distribution 3", start: () => startDistribution() },
  { name: "distribution 3 with passwords", start: () => startDistribution({ auth: { htpasswd: passwords } }) },
])("$name", ({ start }) => {
  let registry: Registry;
  let client: RegistryClient;
  beforeAll(async () => {
    registry = await start();
    client = createRegistryClient({ registry: registry.host, credentials });
  });
  afterAll(async () => {
    await client.close();
    await registry[Symbol.asyncDispose]();
  });

  it("keeps manifests byte by byte, under tags and digests", async () => {
    const { host } = registry;
    const pushed = emptyIndex("bytes");
    expect(await client.headManifest(`${host}/app:v1`)).toBeUndefined();
    expect(await client.putManifest(`${host}/app:v1`, pushed)).toEqual({ digest: pushed.digest });
    const descriptor = { mediaType: indexType, digest: pushed.digest, sizeBytes: pushed.bytes.length };
    expect(await client.headManifest(`${host}/app:v1`)).toEqual(descriptor);
    const found = await client.getManifest(`${host}/app@${pushed.digest}`);
    expect(Buffer.from(found?.bytes ?? []).equals(pushed.bytes)).toBe(true);
  });

  it("lists repositories and tags on as many pages as it takes", async () => {
    const { host } = registry;
    const pushed = emptyIndex("pages");
    const names = ["list/a", "list/b", "list/c", "list/d", "list/e"];
    for (const name of names) {
      // Up to version 2.8 the list has only those repositories that have blobs.
      await pushBlob(client, name, "layer");
      await client.putManifest(`${host}/${name}:t`, pushed);
    }
    for (const tag of ["t1", "t2", "t3", "t4"]) await client.putManifest(`${host}/list/a:${tag}`, pushed);
    const repositories = await all(client.listRepositories({ pageSize: 2 }));
    expect(repositories.filter((name) => name.startsWith("list/"))).toEqual(names);
    expect((await all(client.listTags("list/a", { pageSize: 2 }))).sort()).toEqual(["t", "t1", "t2", "t3", "t4"]);
    expect(await all(client.listTags("list/none"))).toEqual([]);
    // More than the registry gives at a time.
    expect((await all(client.listRepositories({ pageSize: 100_000 }))).length).toBeGreaterThanOrEqual(5);
    expect((await all(client.listTags("list/a", { pageSize: 100_000 }))).length).toBe(5);
  });

  it("loses a tag without its image, and an image with its tags", async () => {
    const { host } = registry;
    const pushed = emptyIndex("deleted");
    for (const tag of ["one", "two", "three"]) await client.putManifest(`${host}/del:${tag}`, pushed);
    expect(await client.deleteManifest(`${host}/del:one`)).toBe(true);
    expect(await client.deleteManifest(`${host}/del:one`)).toBe(false);
    expect(await client.headManifest(`${host}/del:one`)).toBeUndefined();
    expect((await client.headManifest(`${host}/del:two`))?.digest).toBe(pushed.digest);
    expect((await all(client.listTags("del"))).sort()).toEqual(["three", "two"]);
    expect(await client.deleteManifest(`${host}/del@${pushed.digest}`)).toBe(true);
    expect(await client.deleteManifest(`${host}/del@${pushed.digest}`)).toBe(false);
    expect(await client.headManifest(`${host}/del:two`)).toBeUndefined();
    expect(await all(client.listTags("del"))).toEqual([]);
  });

  it("finds what refers to an image, without a list of its own", async () => {
    const { host } = registry;
    const subject = emptyIndex("subject");
    await client.putManifest(`${host}/refs:v1`, subject);
    expect(await client.listReferrers(`${host}/refs@${subject.digest}`)).toEqual([]);
    const config = { mediaType: "application/vnd.oci.empty.v1+json", ...(await pushBlob(client, "refs", "{}")) };
    const types = ["application/vnd.example.sbom", "application/vnd.example.signature"];
    const digests: string[] = [];
    for (const artifactType of types) {
      const content = {
        ...{ schemaVersion: 2, mediaType: manifestType, artifactType, config, layers: [config] },
        subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.bytes.length },
        annotations: { note: artifactType },
      };
      const bytes = Buffer.from(JSON.stringify(content));
      const digest = computeDigest(bytes);
      digests.push(digest);
      const result = await client.putManifest(`${host}/refs@${digest}`, { mediaType: manifestType, bytes });
      expect(result).toEqual({ digest, referrersTag: subject.digest.replace(":", "-") });
    }
    const referrers = await client.listReferrers(`${host}/refs@${subject.digest}`);
    expect(referrers.map(({ digest, artifactType }) => [digest, artifactType])).toEqual(
      digests.map((digest, index) => [digest, types[index]]),
    );
    const [sbom] = await client.listReferrers(`${host}/refs@${subject.digest}`, { artifactType: types[0] });
    expect(sbom).toMatchObject({ digest: digests[0], annotations: { note: types[0] } });
  });

  it("is asked whether one may push, and keeps no upload open", async () => {
    await using open = (await client.startUpload("push/check")) as BlobUpload;
    expect(await openUploads(registry, "push/check")).toHaveLength(1);
    await open.cancel();
    const { source } = await client.checkPush("push/check");
    expect([ann.source, "anonymous access"]).toContain(source);
    expect(await openUploads(registry, "push/check")).toEqual([]);
  });

  it.each(["", "a layer"])(
    "keeps no upload open that is cancelled and may not be deleted (%j was sent)",
    async (text) => {
      const network = createNetworkTransport();
      const undeleting: RegistryTransport = async (request) =>
        request.method === "DELETE"
          ? { status: 405, ok: false, headers: { get: () => null }, body: null }
          : await network(request);
      await using cautious = createRegistryClient({ registry: registry.host, credentials, transport: undeleting });
      const upload = (await cautious.startUpload("push/drop")) as BlobUpload;
      await upload.write(Buffer.from(text));
      expect(await openUploads(registry, "push/drop")).toHaveLength(1);
      // Another digest than that of its bytes would leave it open.
      await upload.cancel({ digestOf: () => computeDigest(Buffer.from(text)) });
      expect(await openUploads(registry, "push/drop")).toEqual([]);
      await network.close?.();
    },
  );
});

describe("distribution 3 behind a token service", () => {
  const users = {
    ann: { password: passwords.ann, rights: { "team/*": ["pull"], "team/app": ["pull", "push", "delete"] } },
    bob: { password: "second", rights: { "other/*": ["pull", "push"], "registry:catalog": ["*"] } },
  } as const;
  const bob: Credential = { source: "secret builds/bob", type: "basic", username: "bob", password: "second" };

  it("is used by each candidate where it may, with tokens for what is done", async () => {
    await using tokens = await startTokenServer({ users });
    await using registry = await startDistribution({ auth: { token: tokens } });
    const { host } = registry;
    await using client = createRegistryClient({
      registry: host,
      credentials: { resolve: async () => [stale, ann, bob] },
    });
    expect(await client.ping()).toMatchObject({ authentication: "bearer", realm: tokens.realm });
    expect(await client.checkPush("team/app")).toEqual({ source: ann.source });
    expect(await client.checkPush("other/app")).toEqual({ source: bob.source });
    expect(await openUploads(registry, "team/app")).toEqual([]);
    // He may not delete, so his upload became the empty blob.
    expect(await openUploads(registry, "other/app")).toEqual([]);
    const blob = await pushBlob(client, "team/app", "layer");
    const pushed = emptyIndex("tokens");
    await client.putManifest(`${host}/team/app:v1`, pushed);
    expect((await client.headManifest(`${host}/team/app:v1`))?.digest).toBe(pushed.digest);
    expect(await client.headBlob("team/app", blob.digest)).toMatchObject({ digest: blob.digest });
    expect((await all(client.listRepositories())).includes("team/app")).toBe(true);
    expect(await client.deleteManifest(`${host}/team/app@${pushed.digest}`)).toBe(true);

    const refused = await client.checkPush("team/base").catch((error: unknown) => BuilderError.from(error));
    expect(refused).toMatchObject({
      code: "REGISTRY_UNAUTHORIZED",
      details: { triedCredentials: [stale.source, ann.source, bob.source] },
    });
    const asked = await tokens.requests();
    const scopes = asked
      .filter(({ user, status }) => user === "ann" && status === 200)
      .map(({ requested }) => requested.join(" "));
    // Once for each kind of access: what is done again needs no further token.
    expect(new Set(scopes).size).toBe(scopes.length);
    expect(scopes).toContain("repository:team/app:pull,push");
  });

  it("is used with the new password as soon as the old one is refused", async () => {
    await using tokens = await startTokenServer({ users, tokenLifetimeSeconds: 1 });
    await using registry = await startDistribution({ auth: { token: tokens } });
    let password = passwords.ann;
    const keychain: Keychain = { resolve: async () => [{ ...ann, password }] };
    await using client = createRegistryClient({ registry: registry.host, credentials: keychain });
    await client.checkPush("team/app");
    password = "rotated";
    await tokens.configure({ users: { ...users, ann: { ...users.ann, password } } });
    await expect.poll(() => client.checkPush("team/app"), { timeout: 30_000 }).toEqual({ source: ann.source });
    const succeeded = (await tokens.requests()).filter(({ status }) => status === 200);
    expect(succeeded.length).toBeGreaterThanOrEqual(2);
  });
});
