import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

import { type Descriptor, blobPath, readImageLayout } from "./image-layout.ts";

/** An image layout and the name that it gets in the registry. */
export interface Upload {
  readonly layout: string;
  readonly repository: string;
  readonly tag: string;
}

/** Uploads images into the registry at `host` over plain HTTP; what is there already is not sent again. */
export async function uploadImages(host: string, uploads: readonly Upload[]): Promise<void> {
  await waitForRegistry(host);
  for (const upload of uploads) await uploadImage(`http://${host}/v2/${upload.repository}`, upload);
}

const attemptMs = 400;

async function waitForRegistry(host: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await answers(host)) return;
    await delay(100);
  }
  throw new Error(`The registry does not answer at ${host}.`);
}

/**
 * Tries once, on a connection of its own. One that meets the address of a pod that is gone hangs until the kernel gives
 * up, and `fetch` would queue later attempts behind it.
 */
function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const attempt = get(`http://${host}/v2/`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    attempt.on("error", () => resolve(false));
    const timer = setTimeout(() => attempt.destroy(), attemptMs);
    attempt.on("close", () => clearTimeout(timer)).on("close", () => resolve(false));
  });
}

async function uploadImage(base: string, { layout, tag }: Upload): Promise<void> {
  const { descriptor, manifest } = await readImageLayout(layout);
  const accept = { accept: descriptor.mediaType };
  const present = await fetch(`${base}/manifests/${tag}`, { method: "HEAD", headers: accept });
  if (present.headers.get("docker-content-digest") === descriptor.digest) return;
  for (const blob of [manifest.config, ...manifest.layers]) await uploadBlob(base, layout, blob);
  const body = await readFile(blobPath(layout, descriptor.digest));
  await expectOk(
    await fetch(`${base}/manifests/${tag}`, { method: "PUT", headers: { "content-type": descriptor.mediaType }, body }),
  );
}

async function uploadBlob(base: string, layout: string, blob: Descriptor): Promise<void> {
  if ((await fetch(`${base}/blobs/${blob.digest}`, { method: "HEAD" })).ok) return;
  const session = await expectOk(await fetch(`${base}/blobs/uploads/`, { method: "POST" }));
  const target = new URL(session.headers.get("location") ?? "", base);
  target.searchParams.set("digest", blob.digest);
  const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
  const body = createReadStream(blobPath(layout, blob.digest));
  await expectOk(await fetch(target, { method: "PUT", headers, body, duplex: "half" }));
}

async function expectOk(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw new Error(`${response.url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
}
