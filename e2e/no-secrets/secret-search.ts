import { gunzipSync } from "node:zlib";

/** Something that holds a secret, and where. */
export interface Finding {
  readonly place: string;
  readonly secret: string;
  readonly encoding: string;
}

/** Looks for secrets in whatever it is shown. */
export interface SecretSearch {
  /** How many bytes it has seen. */
  readonly seenBytes: number;
  readonly findings: readonly Finding[];
  look(place: string, content: string | Uint8Array): void;
}

/** What is left of an encoding when a text is cut off somewhere is still a secret. */
const fragmentLength = 16;
const gzipMagic = Buffer.from([0x1f, 0x8b, 0x08]);

/** Makes a search for these secrets, by name. */
export function createSecretSearch(secrets: Readonly<Record<string, string>>): SecretSearch {
  const needles = Object.entries(secrets).flatMap(([secret, value]) => needlesOf(secret, value));
  const findings: Finding[] = [];
  let seenBytes = 0;
  return {
    findings,
    get seenBytes() {
      return seenBytes;
    },
    look: (place, content) => {
      const bytes = readable(Buffer.from(content as Uint8Array));
      seenBytes += bytes.length;
      const found = needles.filter(({ fragments }) => fragments.some((fragment) => bytes.includes(fragment)));
      findings.push(...found.map(({ secret, encoding }) => ({ place, secret, encoding })));
    },
  };
}

interface Needle {
  readonly secret: string;
  readonly encoding: string;
  readonly fragments: readonly Buffer[];
}

function needlesOf(secret: string, value: string): readonly Needle[] {
  const once = base64Alignments(value);
  const encodings: Readonly<Record<string, readonly string[]>> = {
    raw: [value],
    URL: [encodeURIComponent(value), new URLSearchParams({ value }).toString().slice("value=".length)],
    hex: [Buffer.from(value).toString("hex"), Buffer.from(value).toString("hex").toUpperCase()],
    base64: [...once, ...once.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))],
    // A Secret's data, which is base64, holds a docker configuration, in which `auth` is base64.
    "base64 twice": once.flatMap(base64Alignments),
  };
  return Object.entries(encodings).map(([encoding, texts]) => ({
    secret,
    encoding,
    fragments: texts.flatMap(fragmentsOf).map((text) => Buffer.from(text)),
  }));
}

/** What base64 makes of a text is different for each of three places in what is encoded; the ends depend on the neighbours. */
function base64Alignments(text: string): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), Buffer.from(text)]).toString("base64");
    const sizeBytes = offset + Buffer.byteLength(text);
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor((sizeBytes * 8) / 6));
  });
}

function fragmentsOf(text: string): readonly string[] {
  const last = text.length - fragmentLength;
  return [0, Math.floor(last / 2), last].map((start) => text.slice(start, start + fragmentLength));
}

function readable(bytes: Buffer): Buffer {
  return bytes.subarray(0, gzipMagic.length).equals(gzipMagic) ? gunzipSync(bytes) : bytes;
}
