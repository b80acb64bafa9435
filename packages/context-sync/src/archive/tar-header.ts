import { fileType } from "../scan-entry.ts";
import type { ScanEntry } from "../scan-entry.ts";

/** Archives are made of blocks of this size. */
export const blockBytes = 512;

/** What goes in front of an entry's content: a header, with one of extended attributes before it where ustar does not reach. */
export interface TarHeader {
  readonly sizeBytes: number;
  /** Writes it to a buffer with room for `sizeBytes`. */
  write(target: Buffer, offset: number): void;
}

const maxNameBytes = 100;
const maxPrefixBytes = 155;
const maxOctalSize = 8 ** 11 - 1;

/** POSIX numbers the types; pax adds `x`, attributes of the entry behind it, and GNU `L` and `K`, its name and target. */
const typeFlags = {
  file: "0",
  hardlink: "1",
  link: "2",
  character: "3",
  block: "4",
  directory: "5",
  fifo: "6",
  pax: "x",
  longName: "L",
  longLink: "K",
};

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly linkname: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly type: keyof typeof typeFlags;
  readonly devMajor: number;
  readonly devMinor: number;
}

/** What stands before an entry that ustar cannot hold: pax is the standard, busybox knows the older one of GNU. */
export type TarFormat = "pax" | "gnu";

/** The header of an entry, as Docker packs it: owned by root, times in whole seconds, sizes of files only. */
export function tarHeader(entry: ScanEntry, format: TarFormat = "pax"): TarHeader {
  const type = entryType(entry);
  const path = type === "directory" ? `${entry.path}/` : entry.path;
  const linkname = entry.linkname ?? "";
  const sizeBytes = type === "file" ? entry.size : 0;
  const mtimeSeconds = wholeSeconds(entry.mtimeNs);
  const fields = { mode: entry.mode & 0o7777, type, devMajor: entry.devMajor, devMinor: entry.devMinor };
  return format === "pax"
    ? paxHeader(path, linkname, { ...fields, sizeBytes, mtimeSeconds })
    : gnuHeader(path, linkname, { ...fields, sizeBytes, mtimeSeconds: Math.max(0, mtimeSeconds) });
}

type OtherFields = Omit<HeaderFields, "name" | "prefix" | "linkname">;

function paxHeader(path: string, linkname: string, other: OtherFields): TarHeader {
  const { sizeBytes, mtimeSeconds } = other;
  const place = splitPath(path);
  const isOddTime = mtimeSeconds < 0 || mtimeSeconds > maxOctalSize;
  const records =
    (place === undefined ? paxRecord("path", path) : "") +
    (isShortAscii(linkname) ? "" : paxRecord("linkpath", linkname)) +
    (sizeBytes > maxOctalSize ? paxRecord("size", String(sizeBytes)) : "") +
    (isOddTime ? paxRecord("mtime", String(mtimeSeconds)) : "");
  const fields: HeaderFields = {
    ...other,
    name: place?.name ?? asciiTail(path),
    prefix: place?.prefix ?? "",
    linkname: isShortAscii(linkname) ? linkname : asciiTail(linkname),
    sizeBytes: sizeBytes > maxOctalSize ? 0 : sizeBytes,
    mtimeSeconds: isOddTime ? 0 : mtimeSeconds,
  };
  // Who does not know pax finds a small file of this name.
  const name = `PaxHeaders.0/${fields.name.replace(/\/$/, "").slice(-80)}`;
  const attributes = { ...attributeFields, mtimeSeconds: fields.mtimeSeconds, name, type: "pax" } as const;
  return headerBehind(records === "" ? [] : [[attributes, Buffer.from(records)]], fields);
}

/** Names are UTF-8 as they are, and longer ones stand before the entry, with a NUL behind them. */
function gnuHeader(path: string, linkname: string, other: OtherFields): TarHeader {
  const before = (["longName", "longLink"] as const).flatMap((type): Attributes[] => {
    const text = Buffer.from(`${type === "longName" ? path : linkname}\0`);
    return text.length - 1 <= maxNameBytes ? [] : [[{ ...attributeFields, name: "././@LongLink", type }, text]];
  });
  return headerBehind(before, { ...other, name: rawStart(path), prefix: "", linkname: rawStart(linkname) });
}

type Attributes = readonly [fields: Omit<HeaderFields, "sizeBytes">, content: Buffer];

const attributeFields = { prefix: "", linkname: "", mode: 0o644, mtimeSeconds: 0, devMajor: 0, devMinor: 0 };

/** The bytes that fit, each as a character. */
function rawStart(text: string): string {
  return Buffer.from(text).subarray(0, maxNameBytes).toString("latin1");
}

function headerBehind(before: readonly Attributes[], fields: HeaderFields): TarHeader {
  const beforeBytes = before.reduce((sum, [, content]) => sum + blockBytes + paddedBytes(content.length), 0);
  return {
    sizeBytes: beforeBytes + blockBytes,
    write: (target, offset) => {
      let position = offset;
      for (const [attributes, content] of before) {
        writeFields(target, position, { ...attributes, sizeBytes: content.length });
        position += blockBytes;
        target.fill(0, position, position + paddedBytes(content.length));
        content.copy(target, position);
        position += paddedBytes(content.length);
      }
      writeFields(target, position, fields);
    },
  };
}

/** Fills up to whole blocks what is `sizeBytes` long. */
export function paddedBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / blockBytes) * blockBytes;
}

function entryType({ mode, hardlink = false }: ScanEntry): keyof typeof typeFlags {
  if (hardlink) return "hardlink";
  switch (mode & fileType.mask) {
    case fileType.directory:
      return "directory";
    case fileType.link:
      return "link";
    case fileType.character:
      return "character";
    case fileType.block:
      return "block";
    case fileType.fifo:
      return "fifo";
    default:
      return "file";
  }
}

function wholeSeconds(mtimeNs: bigint): number {
  const seconds = Number(mtimeNs / 1_000_000_000n);
  return mtimeNs < 0n && mtimeNs % 1_000_000_000n !== 0n ? seconds - 1 : seconds;
}

/** A path in the two fields that ustar has for it, or undefined if it does not fit. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= maxNameBytes) return { name: path, prefix: "" };
  const slash = path.indexOf("/", path.length - maxNameBytes - 1);
  if (slash <= 0 || slash > maxPrefixBytes || slash === path.length - 1) return undefined;
  return { name: path.slice(slash + 1), prefix: path.slice(0, slash) };
}

function isShortAscii(text: string): boolean {
  return text.length <= maxNameBytes && isAscii(text);
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false;
  return true;
}

function asciiTail(text: string): string {
  return text.slice(-maxNameBytes).replace(/[^\x20-\x7e]/g, "_");
}

/** `length key=value`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const restBytes = Buffer.byteLength(rest);
  let lengthBytes = restBytes + 1;
  while (lengthBytes !== restBytes + String(lengthBytes).length) lengthBytes = restBytes + String(lengthBytes).length;
  return `${lengthBytes}${rest}`;
}

/** Owner and group 0 without names, and `ustar` version 00. */
const template = Buffer.alloc(blockBytes);
template.write("0000000\0", 108, "latin1");
template.write("0000000\0", 116, "latin1");
template.write("        ", 148, "latin1");
template.write("ustar\x0000", 257, "latin1");
const templateSum = template.reduce((sum, byte) => sum + byte, 0);

function writeFields(target: Buffer, offset: number, fields: HeaderFields): void {
  template.copy(target, offset);
  let sum = templateSum;
  sum += writeText(target, offset, fields.name);
  sum += writeOctal(target, offset + 100, fields.mode, 7);
  sum += writeSize(target, offset + 124, fields.sizeBytes);
  sum += writeOctal(target, offset + 136, fields.mtimeSeconds, 11);
  sum += writeText(target, offset + 156, typeFlags[fields.type]);
  sum += writeText(target, offset + 157, fields.linkname);
  sum += writeOctal(target, offset + 329, fields.devMajor, 7);
  sum += writeOctal(target, offset + 337, fields.devMinor, 7);
  sum += writeText(target, offset + 345, fields.prefix);
  writeOctal(target, offset + 148, sum, 6);
  target[offset + 154] = 0;
}

function writeText(target: Buffer, offset: number, text: string): number {
  let sum = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    target[offset + index] = code;
    sum += code;
  }
  return sum;
}

/** What is too large for octal digits is binary, as GNU has it; pax leaves none such to the header. */
function writeSize(target: Buffer, offset: number, sizeBytes: number): number {
  if (sizeBytes <= maxOctalSize) return writeOctal(target, offset, sizeBytes, 11);
  target.fill(0, offset, offset + 12);
  target[offset] = 0x80;
  target.writeUIntBE(sizeBytes, offset + 6, 6);
  return target.subarray(offset, offset + 12).reduce((sum, byte) => sum + byte, 0);
}

function writeOctal(target: Buffer, offset: number, value: number, digits: number): number {
  let low = value % 2 ** 30;
  let high = (value - low) / 2 ** 30;
  let sum = 0;
  for (let index = digits - 1; index >= 0; index--) {
    const code = 0x30 + (low & 7);
    low >>= 3;
    if (index === digits - 10) {
      low = high;
      high = 0;
    }
    target[offset + index] = code;
    sum += code;
  }
  return sum;
}
