import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

import { contextManifest } from "@slipway/context-sync";

import type { TestNamespace } from "./test-namespace.ts";

/** The hash of what a folder of a pod holds, read back with the pod's own tar. */
export async function hashInPod({ cluster, name }: TestNamespace, pod: string, path: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "slipway-copy-"));
  try {
    const archive = join(folder, "archive");
    const copy = join(folder, "copy");
    await mkdir(copy);
    const command = ["tar", "-C", path, "-cf", "-", "."];
    await using stream = await cluster.exec({ namespace: name, pod, command, stdin: false });
    await pipeline(stream.stdio, createWriteStream(archive));
    await promisify(execFile)("tar", ["-xpf", archive, "-C", copy]);
    return (await contextManifest(copy, { cache: false })).sha256;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
