import { createHash, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";

import { BuilderError } from "@slipway/core";

import type { ClusterCall } from "../rest/api-client.ts";
import type { ExecStream } from "./exec-stream.ts";
import type { ContainerTarget, ExecTarget } from "./remote-command.ts";

/** Bytes for a command in a pod. */
export interface VerifiedUploadTarget extends ContainerTarget {
  /**
   * Reads them from its stdin. When the connection is cut it sees an end like any other: let it write to a temporary name, and move that
   * to its place once the upload is verified.
   */
  readonly command: readonly string[];
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** What has arrived, as the pod says itself. */
export interface VerifiedUpload {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Of the command. */
  readonly exitCode: number;
  /** The last 64 KiB of what the command printed. */
  readonly output: string;
}

/**
 * Counts and hashes on the way to the command. The shell stays in front: it keeps stdout open (containerd#12734) and drains what the command
 * leaves, so that neither cuts the stream short. Needs mktemp, mkfifo, tee, sha256sum and wc, as in busybox.
 */
const script = `
dir=$(mktemp -d) && mkfifo "$dir/hash" "$dir/count" || exit 125
trap 'rm -rf "$dir"' EXIT
sha256sum <"$dir/hash" >"$dir/sha256" &
wc -c <"$dir/count" >"$dir/size" &
tee "$dir/hash" "$dir/count" | { "$@"; echo $? >"$dir/code"; cat >/dev/null; }
cat >/dev/null
wait
printf '\\n%s %s %s %s\\n' "$0" "$(cat "$dir/code")" "$(cat "$dir/size")" "$(cut -c1-64 "$dir/sha256")"
`;

const keptOutputBytes = 64 * 1024;

async function writeAll(
  stdio: Duplex,
  source: VerifiedUploadTarget["source"],
  onChunk: (chunk: Uint8Array) => void,
): Promise<void> {
  for await (const chunk of source) {
    if (stdio.destroyed) return;
    onChunk(chunk);
    if (stdio.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        stdio.off("drain", settle).off("close", settle);
        resolve();
      };
      stdio.on("drain", settle).on("close", settle);
    });
  }
  stdio.end();
}

async function readTail(stdio: Duplex): Promise<string> {
  let tail = Buffer.alloc(0);
  for await (const chunk of stdio) tail = Buffer.concat([tail, chunk as Buffer]).subarray(-keptOutputBytes);
  return tail.toString("utf8");
}

/** The line that the script prints last, apart from what the command printed. */
export function parseTrailer(text: string, marker: string): VerifiedUpload | undefined {
  const start = text.lastIndexOf(`\n${marker} `);
  if (start < 0) return undefined;
  const [, exitCode, size, sha256 = ""] = /^\S+ (\d+) +(\d+) ([0-9a-f]{64})\n$/.exec(text.slice(start + 1)) ?? [];
  if (exitCode === undefined || size === undefined) return undefined;
  return { exitCode: Number(exitCode), sizeBytes: Number(size), sha256, output: text.slice(0, start) };
}

function uploadFailed(target: ContainerTarget, sentBytes: number, why: string): BuilderError {
  const message = `The upload of ${sentBytes} bytes to pod ${target.namespace}/${target.pod} is not verified: ${why} Send it again.`;
  return new BuilderError({ code: "CONTEXT_SYNC_FAILED", message, details: { sentBytes }, retryable: true });
}

/**
 * Sends bytes to a command in a pod and makes sure that all of them have arrived: neither the exit code nor an end of a stream can tell,
 * so the pod counts and hashes what it gets and says so in the same stream.
 *
 * @param cluster - that the pod runs in
 * @throws BuilderError: CONTEXT_SYNC_FAILED if something else than was sent has arrived, or if the pod cannot say; CLUSTER_UNREACHABLE,
 * POD_LOST and the like if the connection was lost. Whatever `source` throws is thrown.
 */
export async function sendVerified(
  cluster: { exec(target: ExecTarget, call?: ClusterCall): Promise<ExecStream> },
  target: VerifiedUploadTarget,
  call: ClusterCall = {},
): Promise<VerifiedUpload> {
  const { namespace, pod, container, command, source } = target;
  const marker = `slipway-${randomBytes(16).toString("hex")}`;
  await using stream = await cluster.exec(
    { namespace, pod, container, command: ["sh", "-c", script, marker, ...command] },
    call,
  );
  const hash = createHash("sha256");
  let sentBytes = 0;
  const reading = readTail(stream.stdio);
  // Told by the status below.
  reading.catch(() => undefined);
  await writeAll(stream.stdio, source, (chunk) => {
    hash.update(chunk);
    sentBytes += chunk.length;
  });
  const status = await stream.status;
  const received = parseTrailer(await reading, marker);
  if (!received) {
    const said = [status.message, stream.stderrTail].filter(Boolean).join("; ");
    throw uploadFailed(target, sentBytes, `the pod did not say what it received (${said || "no reason given"}).`);
  }
  const sha256 = hash.digest("hex");
  if (received.sizeBytes === sentBytes && received.sha256 === sha256) return received;
  throw uploadFailed(
    target,
    sentBytes,
    `${received.sizeBytes} bytes arrived, with sha256 ${received.sha256} instead of ${sha256}.`,
  );
}
