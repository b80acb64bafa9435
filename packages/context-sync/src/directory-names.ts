import { Buffer, isUtf8 } from "node:buffer";
import { readdirSync } from "node:fs";

const beyondUtf16Order = /[\ud800-\uffff]/;

/** The names in a directory in the order of their UTF-8 bytes, which is the order that BuildKit insists on. */
export function readSortedNames(directory: string): string[] {
  const names = readdirSync(directory);
  // UTF-16 order differs only where a surrogate meets U+E000 to U+FFFF.
  return names.some((name) => beyondUtf16Order.test(name)) ? names.sort(compareUtf8) : names.sort();
}

function compareUtf8(first: string, second: string): number {
  return Buffer.compare(Buffer.from(first), Buffer.from(second));
}

/** Whether a name that shows U+FFFD really stands for bytes that are not UTF-8. */
export function isUndecodable(directory: string, name: string): boolean {
  const sameText = readdirSync(directory, { encoding: "buffer" }).filter((bytes) => bytes.toString("utf8") === name);
  return sameText.some((bytes) => !isUtf8(bytes));
}
