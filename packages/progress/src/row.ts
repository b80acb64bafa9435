import { displayWidth, truncate } from "./display-width.ts";
import type { Paint, Style } from "./paint.ts";

/** One line of terminal output: mark and text on the left, something short on the right. */
export interface Row {
  readonly indent?: number;
  readonly mark?: string;
  readonly markStyle?: Style;
  readonly text: string;
  readonly textStyle?: Style;
  readonly right?: string;
}

/** Below this the right side gives way to the text. */
const narrowColumns = 24;

/** A row cut to fit; the last column stays free, for there a terminal would wait to wrap. */
export function drawRow(row: Row, columns: number, paint: Paint): string {
  const width = Math.max(1, columns - 1);
  const indent = " ".repeat(Math.min(row.indent ?? 0, width - 1));
  const mark = row.mark === undefined ? "" : `${row.mark} `;
  const right = row.right === undefined || columns < narrowColumns ? "" : ` ${row.right}`;
  const lead = truncate(`${indent}${mark}`, width);
  const text = truncate(row.text, width - displayWidth(lead) - displayWidth(right));
  const gap = right === "" ? "" : " ".repeat(width - displayWidth(lead) - displayWidth(text) - displayWidth(right));
  return `${paint(row.markStyle, lead)}${paint(row.textStyle, text)}${gap}${paint("dim", right)}`.trimEnd();
}
