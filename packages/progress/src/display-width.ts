const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });
const asciiOnly = /^[ -~]*$/;
const noWidth = /^[\p{Mark}\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}]/u;
const emoji = /\p{Emoji_Presentation}|\ufe0f/u;

/** Blocks of East Asian width W and F, from Unicode's EastAsianWidth.txt; pairs of first and last code point. */
const wideBlocks: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2fb],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

/** How many columns of a terminal a text without control sequences takes. */
export function displayWidth(text: string): number {
  if (asciiOnly.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) columns += graphemeWidth(segment);
  return columns;
}

/** Cuts a text to so many columns; a cut shows as `…`. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > columns - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

function graphemeWidth(grapheme: string): number {
  const codePoint = grapheme.codePointAt(0) ?? 0;
  if (emoji.test(grapheme)) return 2;
  if (noWidth.test(grapheme)) return 0;
  return wideBlocks.some(([first, last]) => codePoint >= first && codePoint <= last) ? 2 : 1;
}
