import { createHash } from "node:crypto";

import type { Cluster } from "@slipway/cluster";
import { BuilderError, type BuildRequest } from "@slipway/core";

/** An archive of the image that a build hands to its caller. */
export type ImageArchive = Extract<BuildRequest["outputs"][number], { type: "docker" | "oci" }>;

/** Where the executor leaves archives; kaniko leaves its own folder out of every image. */
export const archiveFolder = "/kaniko/slipway-archives";
const dockerArchive = "image.tar";
const ociLayout = "layout";

/** The archives among the outputs of a build. */
export function imageArchives(outputs: BuildRequest["outputs"]): readonly ImageArchive[] {
  return outputs.filter((output): output is ImageArchive => output.type === "docker" || output.type === "oci");
}

/** What the executor makes beside, or in place of, a push: flags, each written as the executor spells it. */
export function outputArguments(
  outputs: BuildRequest["outputs"],
  write: (name: string, value: string | null) => readonly string[],
): readonly string[] {
  const has = (type: BuildRequest["outputs"][number]["type"]): boolean =>
    outputs.some((output) => output.type === type);
  return [
    ...(has("push") ? [] : write("no-push", null)),
    ...(has("docker") ? write("tar-path", `${archiveFolder}/${dockerArchive}`) : []),
    ...(has("oci") ? write("oci-layout-path", `${archiveFolder}/${ociLayout}`) : []),
  ];
}

/** Says how long a file is and what its hash is, then the file: an end of the stream alone proves nothing. */
const sendFile = 'set -e; sum=$(sha256sum "$1"); echo "${sum%% *} $(wc -c <"$1")"; exec cat "$1"';
const sendLayout = `set -e; tar -cf "$1.tar" -C "$1" .; set -- "$1.tar"; ${sendFile}`;

/** Where the archives of a build are. */
export interface ArchiveSource {
  readonly cluster: Cluster;
  readonly pod: string;
  /** A container that sees the folder of the archives and has a shell. */
  readonly container: string;
}

/**
 * Hands each archive to its destination, while it arrives from the pod.
 *
 * @throws BuilderError CONTEXT_SYNC_FAILED if one does not arrive as it is there; what a destination throws
 */
export async function deliverArchives(
  archives: readonly ImageArchive[],
  source: ArchiveSource,
  call: { readonly signal: AbortSignal },
): Promise<void> {
  for (const { type, destination } of archives) await destination(readArchive(type, source, call), call);
}

async function* readArchive(
  type: ImageArchive["type"],
  { cluster, pod, container }: ArchiveSource,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  const [script, name] = type === "docker" ? [sendFile, dockerArchive] : [sendLayout, ociLayout];
  const command = ["sh", "-c", script, "sh", `${archiveFolder}/${name}`];
  await using stream = await cluster.exec(
    { namespace: cluster.namespace, pod, container, command, stdin: false },
    { signal },
  );
  const hash = createHash("sha256");
  let receivedBytes = 0;
  let head = Buffer.alloc(0);
  let promised: { readonly sha256: string; readonly sizeBytes: number } | undefined;
  for await (const chunk of stream.stdio as AsyncIterable<Buffer>) {
    let content = chunk;
    if (promised === undefined) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\n");
      if (end < 0) continue;
      const [sha256 = "", size = ""] = head.toString("latin1", 0, end).split(" ");
      promised = { sha256, sizeBytes: Number(size) };
      content = head.subarray(end + 1);
    }
    hash.update(content);
    receivedBytes += content.length;
    if (content.length > 0) yield content;
  }
  if (promised?.sizeBytes === receivedBytes && promised.sha256 === hash.digest("hex")) return;
  throw incomplete(pod, type, receivedBytes);
}

function incomplete(pod: string, type: ImageArchive["type"], receivedBytes: number): BuilderError {
  return new BuilderError({
    code: "CONTEXT_SYNC_FAILED",
    message: `The ${type} archive of pod ${pod} did not arrive whole: ${receivedBytes} bytes, or not the same ones. Build again.`,
    details: { sentBytes: receivedBytes },
  });
}
