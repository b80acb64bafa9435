/** What a tar is seen to hold while it passes. */
export interface TarTotals {
  readonly files: number;
  /** Of the files' contents. */
  readonly totalBytes: number;
  /** Whether the mark of its end has passed: without it nobody knows whether it is whole. */
  readonly isComplete: boolean;
}

const blockBytes = 512;
/** Entries that describe the one behind them. */
const extended = new Set(["x", "g", "L", "K"]);

/** Reads the headers of a tar that passes by in chunks, and keeps the content of one file. Understands ustar, pax and GNU's long names. */
export class TarReader {
  readonly #wanted: string | undefined;
  #pending = Buffer.alloc(0);
  /** Of the entry under way, with its padding. */
  #leftBytes = 0;
  #contentBytes = 0;
  #kept: Buffer[] | undefined;
  #keptFor: "wanted" | "name" | "pax" | undefined;
  #longName: string | undefined;
  #paxSize: number | undefined;
  #files = 0;
  #totalBytes = 0;
  #zeroBlocks = 0;
  #content: Buffer | undefined;

  /** @param wanted Path of the file to keep. */
  constructor(wanted?: string) {
    this.#wanted = wanted === undefined ? undefined : normalized(wanted);
  }

  /** The content of the wanted file, once all of it has passed. */
  get content(): Buffer | undefined {
    return this.#content;
  }

  get totals(): TarTotals {
    return { files: this.#files, totalBytes: this.#totalBytes, isComplete: this.#zeroBlocks >= 2 };
  }

  /** Takes what comes next. @throws Error if it is no tar */
  push(chunk: Uint8Array): void {
    const whole = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let rest = this.#pending.length === 0 ? whole : Buffer.concat([this.#pending, whole]);
    while (rest.length > 0 && !this.totals.isComplete) {
      if (this.#leftBytes > 0) {
        const part = rest.subarray(0, this.#leftBytes);
        this.#take(part);
        rest = rest.subarray(part.length);
      } else if (rest.length >= blockBytes) {
        this.#header(rest.subarray(0, blockBytes));
        rest = rest.subarray(blockBytes);
      } else break;
    }
    this.#pending = this.totals.isComplete ? Buffer.alloc(0) : Buffer.from(rest);
  }

  #take(part: Buffer): void {
    const content = part.subarray(0, Math.max(0, this.#contentBytes));
    this.#contentBytes -= content.length;
    this.#leftBytes -= part.length;
    this.#kept?.push(Buffer.from(content));
    if (this.#leftBytes === 0) this.#finishEntry();
  }

  #header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      this.#zeroBlocks += 1;
      return;
    }
    this.#zeroBlocks = 0;
    if (!hasChecksum(block)) throw new Error("A header of the tar is damaged, or it is none.");
    const type = String.fromCharCode(block[156] ?? 0);
    const sizeBytes = extended.has(type) ? numberAt(block, 124, 12) : (this.#paxSize ?? numberAt(block, 124, 12));
    this.#contentBytes = sizeBytes;
    this.#leftBytes = Math.ceil(sizeBytes / blockBytes) * blockBytes;
    this.#keptFor = this.#purpose(type, nameOf(block));
    this.#kept = this.#keptFor === undefined ? undefined : [];
    if (!extended.has(type)) {
      this.#files += 1;
      this.#totalBytes += sizeBytes;
      this.#longName = undefined;
      this.#paxSize = undefined;
    }
    if (this.#leftBytes === 0) this.#finishEntry();
  }

  #purpose(type: string, name: string): "wanted" | "name" | "pax" | undefined {
    if (type === "L") return "name";
    if (type === "x") return "pax";
    const isFile = type === "0" || type === "\0";
    return isFile && normalized(this.#longName ?? name) === this.#wanted ? "wanted" : undefined;
  }

  #finishEntry(): void {
    const content = this.#kept && Buffer.concat(this.#kept);
    this.#kept = undefined;
    if (content === undefined) return;
    if (this.#keptFor === "wanted") this.#content = content;
    if (this.#keptFor === "name") this.#longName = content.toString().replace(/\0.*$/s, "");
    if (this.#keptFor === "pax") {
      const records = paxRecords(content);
      this.#longName = records.get("path") ?? this.#longName;
      const size = records.get("size");
      this.#paxSize = size === undefined ? undefined : Number(size);
    }
  }
}

function normalized(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/\.?\//g, "/");
}

function textAt(block: Buffer, start: number, length: number): string {
  return block.toString("utf8", start, start + length).replace(/\0.*$/s, "");
}

function nameOf(block: Buffer): string {
  const isUstar = textAt(block, 257, 6) === "ustar";
  const prefix = isUstar ? textAt(block, 345, 155) : "";
  return prefix === "" ? textAt(block, 0, 100) : `${prefix}/${textAt(block, 0, 100)}`;
}

/** Octal, or GNU's binary for what octal digits cannot hold. */
function numberAt(block: Buffer, start: number, length: number): number {
  if (((block[start] ?? 0) & 0x80) === 0) return Number.parseInt(textAt(block, start, length).trim() || "0", 8);
  return Number(block.subarray(start + 4, start + length).readBigUInt64BE());
}

function hasChecksum(block: Buffer): boolean {
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return sum === numberAt(block, 148, 8);
}

function paxRecords(content: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  let start = 0;
  while (start < content.length) {
    const space = content.indexOf(" ", start);
    const length = Number.parseInt(content.toString("latin1", start, space), 10);
    if (space < 0 || !(length > 0)) break;
    const [key = "", ...value] = content.toString("utf8", space + 1, start + length - 1).split("=");
    records.set(key, value.join("="));
    start += length;
  }
  return records;
}
