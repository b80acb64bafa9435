import { randomInt } from "node:crypto";

import { copyImage, type RegistryClient } from "@slipway/registry-client";
import { expect, it } from "vitest";

import { startByteProxy, type ByteProxy, type Direction } from "./publish/byte-proxy.ts";
import { startRegistryPair } from "./publish/registry-pair.ts";
import { createTestImage, pushTestImage, type TestImage } from "./publish/test-image.ts";
import { createNumbers } from "./support/seeded-numbers.ts";

const chunkBytes = 5 * 1024 * 1024;
const blobsAtATime = 3;
/** Requests that ask how far it is, and headers of those that go on. */
const overheadBytes = 32 * 1024;

/** Layers of several chunks. */
const large = createTestImage({ layerBytes: [12_500_000, 6_000_000, 70_000] });
/** Layers of one chunk: a registry of version 2 forgets an upload whose connection ends within a chunk. */
const small = createTestImage({ layerBytes: [5_000_000, 2_500_000, 70_000] });

/** One way through a proxy. */
interface Way {
  readonly name: string;
  readonly image: TestImage;
  readonly source: string;
  readonly destination: string;
  readonly proxy: ByteProxy;
  readonly direction: Direction;
}

/** Ways to and from both kinds of registries, each cut where it goes through a proxy. */
async function openWays(): Promise<AsyncDisposable & { readonly connect: Connect; readonly ways: readonly Way[] }> {
  await using stack = new AsyncDisposableStack();
  const registries = stack.use(await startRegistryPair());
  const { connect } = registries;
  const debian = registries.debian.host;
  const distribution = registries.distribution.host;
  await pushTestImage(connect(debian), "source/app", "1", large);
  await pushTestImage(connect(distribution), "source/app", "1", small);
  const [two, three] = [stack.use(await startByteProxy(debian)), stack.use(await startByteProxy(distribution))];
  const toThree = { image: large, source: debian, destination: three.host, proxy: three, direction: "up" } as const;
  const fromTwo = { image: large, source: two.host, destination: distribution, proxy: two, direction: "down" } as const;
  const toTwo = { image: small, source: distribution, destination: two.host, proxy: two, direction: "up" } as const;
  const fromThree = { image: small, source: three.host, destination: debian, proxy: three, direction: "down" } as const;
  const ways = [
    { name: "to distribution 3", ...toThree },
    { name: "from distribution 2", ...fromTwo },
    { name: "to distribution 2", ...toTwo },
    { name: "from distribution 3", ...fromThree },
  ];
  const owned = stack.move();
  return { connect, ways, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

type Connect = (registry: string) => RegistryClient;

/** The bytes that a copy takes on its way. */
async function copy(connect: Connect, way: Way, repository: string): Promise<number> {
  const before = way.proxy.count(way.direction);
  const destinations = [`${way.destination}/${repository}:1`];
  const source = `${way.source}/source/app:1`;
  const { digest } = await copyImage({ source, destinations, connect, concurrency: blobsAtATime });
  expect(digest).toBe(way.image.root.digest);
  return way.proxy.count(way.direction) - before;
}

/** Cuts copies at bytes that a seed decides, and tells how many bytes went again at most, by the way that they went. */
async function cutCopies(cuts: number, scope: "connection" | "all", mostBytes: number): Promise<string> {
  await using open = await openWays();
  const { connect, ways } = open;
  const seed = Number(process.env["SLIPWAY_SEED"] ?? randomInt(2 ** 31));
  const numbers = createNumbers(seed);
  const most: Record<string, number> = {};
  const plain = new Map<Way, number>();
  for (const way of ways) plain.set(way, await copy(connect, way, `plain/${plain.size}`));
  for (let round = 0; round < cuts; round += 1) {
    const way = ways[round % ways.length] as Way;
    const { proxy, name, direction } = way;
    const plainBytes = plain.get(way) ?? 0;
    const byte = numbers(plainBytes);
    const cutBefore = proxy.cutConnections;
    proxy.cutAt(direction, byte, scope);
    const repeatedBytes = (await copy(connect, way, `round/${round}`)) - plainBytes;
    const said = `seed ${seed}, round ${round}: ${name}, cut at byte ${byte} of ${plainBytes}`;
    expect(proxy.cutConnections, said).toBeGreaterThan(cutBefore);
    expect(repeatedBytes, said).toBeLessThanOrEqual(mostBytes + overheadBytes);
    most[name] = Math.max(most[name] ?? 0, repeatedBytes);
    await expectIdentical(connect(way.destination), `round/${round}`, way.image);
  }
  return `seed ${seed}, ${cuts} cuts, most bytes again: ${JSON.stringify(most)}`;
}

it("PUBLISH-CUT: whatever byte a connection ends at, on either side, at most one chunk is sent again (100 cuts)", async () => {
  console.log(`PUBLISH-CUT: ${await cutCopies(100, "connection", chunkBytes)}`);
});

it("PUBLISH-CUT: a network that ends all connections costs at most one chunk of each blob on its way", async () => {
  console.log(`PUBLISH-CUT: all connections, ${await cutCopies(20, "all", blobsAtATime * chunkBytes)}`);
});

it("PUBLISH-CUT: a registry that forgets an upload whose connection ended gets that blob from its start", async () => {
  await using registries = await startRegistryPair();
  const { connect, debian, distribution } = registries;
  await pushTestImage(connect(distribution.host), "source/app", "1", large);
  await using proxy = await startByteProxy(debian.host);
  proxy.cutAt("up", 9_000_000, "all");
  const destinations = [`${proxy.host}/copy/app:1`];
  const { digest, sentBytes } = await copyImage({ source: `${distribution.host}/source/app:1`, destinations, connect });
  expect(digest).toBe(large.root.digest);
  expect(sentBytes).toBe(large.blobBytes);
  expect(proxy.cutConnections).toBeGreaterThan(0);
  await expectIdentical(connect(debian.host), "copy/app", large);
});

async function expectIdentical(client: RegistryClient, repository: string, image: TestImage): Promise<void> {
  const { registry } = client;
  for (const { digest, bytes } of [...image.manifests, image.referrer]) {
    const manifest = await client.getManifest({ registry, repository, digest });
    expect(Buffer.from(manifest?.bytes ?? []).equals(bytes), digest).toBe(true);
  }
  for (const [digest, bytes] of image.blobs) {
    let position = 0;
    for await (const part of (await client.getBlob(repository, digest))?.chunks ?? []) {
      if (!bytes.subarray(position, position + part.byteLength).equals(part)) break;
      position += part.byteLength;
    }
    expect(position, digest).toBe(bytes.length);
  }
}
