import type dns from "node:dns";
import type { LookupAddress } from "node:dns";

import { expect, test, vi } from "vitest";

import type { LocalServer } from "./__fixtures__/local-server.ts";
import { startLocalServer } from "./__fixtures__/local-server.ts";
import { createRegistryClient } from "./registry-client.ts";

const { names } = vi.hoisted(() => ({ names: new Map<string, readonly string[]>() }));

vi.mock("node:dns", async (original) => ({
  ...(await original<typeof dns>()),
  lookup: (name: string, _: object, found: (error: Error | null, addresses?: readonly LookupAddress[]) => void) => {
    const addresses = names.get(name);
    if (addresses === undefined) found(new Error(`getaddrinfo ENOTFOUND ${name}`));
    else
      found(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      );
  },
}));

/** A registry whose blobs lie behind a redirect. */
async function startRegistry(storage: (host: string) => string): Promise<LocalServer & { readonly seen: string[] }> {
  const seen: string[] = [];
  const server = await startLocalServer(({ url = "", headers }, response) => {
    seen.push(`${headers.host ?? ""} ${url}`);
    if (url.startsWith("/v2/")) response.writeHead(307, { location: storage(server.host) }).end();
    else response.writeHead(200, { "content-length": 4 }).end("blob");
  });
  return { ...server, [Symbol.dispose]: () => server[Symbol.dispose](), seen };
}

const digest = `sha256:${"a".repeat(64)}`;

async function readBlob(registry: string, proxy: string | false): Promise<string> {
  await using client = createRegistryClient({ registry, proxy, retryDelaysMs: [] });
  const received: Uint8Array[] = [];
  for await (const part of (await client.getBlob("app", digest, { verify: false }))?.chunks ?? []) received.push(part);
  return Buffer.concat(received).toString();
}

const portOf = (host: string): string => host.replace(/.*:/, "");

test("a redirect to a name that stands for this machine is not followed", async () => {
  names.set("storage.example.net", ["127.0.0.2"]);
  using registry = await startRegistry((host) => `http://storage.example.net:${portOf(host)}/blob`);
  await expect(readBlob(registry.host, false)).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining("127.0.0.2 is this machine itself") as string,
  });
  expect(registry.seen).toHaveLength(1);
});

test("of the addresses of a name those are taken that are allowed", async () => {
  names.set("storage.example.net", ["10.255.255.1", "169.254.169.254", "127.0.0.1"]);
  using registry = await startRegistry((host) => `http://storage.example.net:${portOf(host)}/blob`);
  expect(await readBlob(registry.host, false)).toBe("blob");
  expect(registry.seen.at(-1)).toBe(`storage.example.net:${portOf(registry.host)} /blob`);
});

test("a name that cannot be resolved is a registry out of reach", async () => {
  using registry = await startRegistry(() => "http://nowhere.example.net/blob");
  await expect(readBlob(registry.host, false)).rejects.toMatchObject({
    code: "REGISTRY_UNAVAILABLE",
    message: expect.stringContaining("ENOTFOUND nowhere.example.net") as string,
  });
});

test("behind a proxy nobody checks addresses: plain HTTP leads to no other name", async () => {
  const asked: string[] = [];
  using proxy = await startLocalServer(({ url = "" }, response) => {
    asked.push(url);
    response.writeHead(200, { "content-length": 4 }).end("blob");
  });
  using registry = await startRegistry(() => "http://storage.example.net/blob");
  await expect(readBlob(registry.host, `http://${proxy.host}`)).rejects.toMatchObject({
    code: "REGISTRY_REFUSED",
    message: expect.stringContaining("by plain HTTP") as string,
  });
  expect(asked).toEqual([]);

  using neighbour = await startRegistry(() => "http://198.51.100.7/blob");
  expect(await readBlob(neighbour.host, `http://${proxy.host}`)).toBe("blob");
  expect(asked).toEqual(["http://198.51.100.7/blob"]);
});
