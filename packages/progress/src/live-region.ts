import { stripVTControlCharacters } from "node:util";

import { displayWidth } from "./display-width.ts";

const cursorUp = (rows: number): string => (rows === 0 ? "" : `\u001b[${rows}A`);
const clearToLineEnd = "\u001b[K";
const clearBelow = "\u001b[J";
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
/** A width that the terminal sees otherwise must not make a second row. */
const wrapOff = "\u001b[?7l";
const wrapOn = "\u001b[?7h";

/** The lower end of a terminal, which is drawn over again and again. The cursor rests in the line below. */
export class LiveRegion {
  #widths: readonly number[] = [];
  #drawn = "";

  /**
   * What to write, in one piece, so that `permanent` goes into the scrolled part and `frame` takes the place of the last frame.
   * Nothing when nothing has changed. Lines are written over instead of cleared first, hence no flicker.
   */
  update(permanent: readonly string[], frame: readonly string[], columns: number): string {
    const drawn = `${columns}\n${frame.join("\n")}`;
    if (permanent.length === 0 && drawn === this.#drawn) return "";
    const up = cursorUp(this.#rows(columns));
    this.#drawn = drawn;
    this.#widths = frame.map((line) => displayWidth(stripVTControlCharacters(line)));
    const line = (text: string): string => `${text}${clearToLineEnd}\n`;
    const kept = permanent.map(line).join("");
    return `${hideCursor}\r${up}${kept}${wrapOff}${frame.map(line).join("")}${wrapOn}${clearBelow}${showCursor}`;
  }

  /** Rows of the last frame by now: terminals that became narrower wrap what they show. */
  #rows(columns: number): number {
    return this.#widths.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0);
  }
}
