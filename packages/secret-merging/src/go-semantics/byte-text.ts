/**
 * Text as Go has it: one character per byte of its UTF-8. Sorting, cutting and comparing such text is what Go does with a string.
 */
export type ByteText = string;

/** Encodes text as Go would hold it. */
export function toByteText(text: string): ByteText {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** The text that the bytes stand for. */
export function fromByteText(bytes: ByteText): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** The character that begins at an offset, and its length in bytes; a byte that begins none counts as U+FFFD of length 1. */
export function characterAt(bytes: ByteText, offset: number): { readonly codePoint: number; readonly length: number } {
  const first = bytes.charCodeAt(offset);
  if (first < 0x80) return { codePoint: first, length: 1 };
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const text = fromByteText(bytes.slice(offset, offset + length));
  const codePoint = text.codePointAt(0) ?? 0xfffd;
  const whole = toByteText(String.fromCodePoint(codePoint)) === bytes.slice(offset, offset + length);
  return whole ? { codePoint, length } : { codePoint: 0xfffd, length: 1 };
}
