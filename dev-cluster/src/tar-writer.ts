/** One member of a tar archive. Owner, time and order are what the caller says: nothing comes from the machine. */
export interface TarEntry {
  /** Relative path with forward slashes, without a slash at the end. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink";
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly sizeBytes?: number;
  readonly linkTarget?: string;
  /** Extended attributes, written as PAX records `SCHILY.xattr.<name>`. */
  readonly xattrs?: Readonly<Record<string, Uint8Array>>;
}

const blockBytes = 512;
const typeFlags = { file: "0", symlink: "2", directory: "5" } as const;

/** Encodes what goes before a member's data: a PAX header when ustar cannot express it, then the ustar header. */
export function encodeTarHeader(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  const header = ustarHeader(entry, typeFlags[entry.type]);
  if (records.length === 0) return header;
  const pax = ustarHeader({ path: "pax", type: "file", mode: 0o644, sizeBytes: records.length }, "x");
  return Buffer.concat([pax, records, tarPadding(records.length), header]);
}

/** The zeros that fill up a member's data to whole blocks. */
export function tarPadding(sizeBytes: number): Buffer {
  return Buffer.alloc((blockBytes - (sizeBytes % blockBytes)) % blockBytes);
}

/** The two zero blocks that end an archive. */
export function tarEnd(): Buffer {
  return Buffer.alloc(2 * blockBytes);
}

function ustarHeader(entry: TarEntry, typeFlag: string): Buffer {
  const header = Buffer.alloc(blockBytes);
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  header.write(path, 0, 100);
  writeOctal(header, entry.mode, 100, 8);
  writeOctal(header, entry.uid ?? 0, 108, 8);
  writeOctal(header, entry.gid ?? 0, 116, 8);
  writeOctal(header, entry.sizeBytes ?? 0, 124, 12);
  writeOctal(header, 0, 136, 12);
  header.write("        ", 148);
  header.write(typeFlag, 156);
  header.write(entry.linkTarget ?? "", 157, 100);
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function writeOctal(header: Buffer, value: number, offset: number, width: number): void {
  const digits = value.toString(8).padStart(width - 1, "0");
  if (digits.length > width - 1) throw new RangeError(`${value} does not fit into a ustar field of ${width} bytes.`);
  header.write(`${digits}\0`, offset);
}

function paxRecords(entry: TarEntry): Buffer {
  const records: Buffer[] = [];
  const path = entry.type === "directory" ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100) records.push(paxRecord("path", Buffer.from(path)));
  if (entry.linkTarget !== undefined && Buffer.byteLength(entry.linkTarget) > 100) {
    records.push(paxRecord("linkpath", Buffer.from(entry.linkTarget)));
  }
  for (const [name, value] of Object.entries(entry.xattrs ?? {})) {
    // Values are bytes: a reader that decodes UTF-8 would refuse or corrupt them without this record.
    if (records.length === 0) records.push(paxRecord("hdrcharset", Buffer.from("BINARY")));
    records.push(paxRecord(`SCHILY.xattr.${name}`, Buffer.from(value)));
  }
  return Buffer.concat(records);
}

/** A record is `<length> <key>=<value>\n`, and the length counts its own digits. */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
