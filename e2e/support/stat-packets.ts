import { lstatSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

const grpcFrameBytes = 5;
const goDirectoryBit = 2 ** 31;

/**
 * How many bytes a folder's STAT packets take on the wire, worked out from the message definition alone: what a daemon has to be told
 * before it can ask for anything. Plain files and folders only.
 */
export function statPacketBytes(root: string): number {
  let sum = 0;
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const stat = lstatSync(path, { bigint: true });
    const permissions = Number(stat.mode & 0o777n);
    const fields = [
      lengthDelimited(Buffer.byteLength(relative(root, path))),
      varintField(BigInt(entry.isDirectory() ? goDirectoryBit + permissions : permissions)),
      varintField(entry.isDirectory() ? 0n : stat.size),
      varintField(stat.mtimeNs),
    ];
    sum += grpcFrameBytes + lengthDelimited(fields.reduce((total, bytes) => total + bytes, 0));
  }
  return sum;
}

/** Tag, length and content of a field with a number below 16. */
function lengthDelimited(contentBytes: number): number {
  return 1 + varint(BigInt(contentBytes)) + contentBytes;
}

/** A number that is zero is not sent. */
function varintField(value: bigint): number {
  return value === 0n ? 0 : 1 + varint(value);
}

function varint(value: bigint): number {
  return Math.max(1, Math.ceil(value.toString(2).length / 7));
}
