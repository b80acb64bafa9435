import { createHash } from "node:crypto";

/** An entry of a tar archive, as far as contexts are concerned. */
export interface TarEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly linkname: string;
  readonly sha256: string;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly uid: number;
}

/** Reads an archive with PAX headers, as BuildKit writes them. */
export function readTar(archive: Buffer): Map<string, TarEntry> {
  const entries = new Map<string, TarEntry>();
  let pax = new Map<string, string>();
  // Go leaves the name empty where only the PAX header can hold it, so the magic tells a header from the zeros at the end.
  for (let offset = 0; archive.subarray(offset + 257, offset + 262).toString("latin1") === "ustar";) {
    const header = archive.subarray(offset, offset + 512);
    const text = (start: number, length: number) =>
      header
        .subarray(start, start + length)
        .toString("utf8")
        .replace(/\0.*$/s, "");
    const octal = (start: number, length: number) => Number.parseInt(text(start, length).trim() || "0", 8);
    const type = text(156, 1);
    const sizeBytes = Number(type !== "x" && pax.get("size") ? pax.get("size") : octal(124, 12));
    const data = archive.subarray(offset + 512, offset + 512 + sizeBytes);
    offset += 512 + Math.ceil(sizeBytes / 512) * 512;
    if (type === "x") {
      pax = readPax(data);
      continue;
    }
    const prefix = text(345, 155);
    const path = (pax.get("path") ?? (prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`)).replace(/\/$/, "");
    entries.set(path, {
      path,
      type,
      mode: octal(100, 8),
      sizeBytes,
      mtimeSeconds: Number(pax.get("mtime") ?? octal(136, 12)),
      linkname: pax.get("linkpath") ?? text(157, 100),
      sha256: createHash("sha256").update(data).digest("hex"),
      devMajor: octal(329, 8),
      devMinor: octal(337, 8),
      uid: octal(108, 8),
    });
    pax = new Map();
  }
  return entries;
}

/** Records of the form `<length> <key>=<value>\n`; the length counts bytes. */
function readPax(data: Buffer): Map<string, string> {
  const records = new Map<string, string>();
  for (let offset = 0; offset < data.length;) {
    const length = Number.parseInt(data.subarray(offset, offset + 20).toString("latin1"), 10);
    const record = data.subarray(offset, offset + length - 1).toString("utf8");
    const start = record.indexOf(" ") + 1;
    const equals = record.indexOf("=");
    records.set(record.slice(start, equals), record.slice(equals + 1));
    offset += length;
  }
  return records;
}
