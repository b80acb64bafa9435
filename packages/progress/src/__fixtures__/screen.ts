import type { RenderStream } from "../render-stream.ts";

/** A terminal as far as the renderer uses one; anything else that it is told to do throws. */
export class Screen implements RenderStream {
  readonly isTTY = true;
  readonly writes: string[] = [];
  columns: number;
  rows: number;
  #lines: string[] = [""];
  #row = 0;
  #column = 0;
  #wrap = true;

  constructor(columns = 80, rows = 24) {
    this.columns = columns;
    this.rows = rows;
  }

  /** What stands in the terminal and above it, without the empty lines at the end. */
  get lines(): string[] {
    const last = this.#lines.findLastIndex((line) => line !== "");
    return this.#lines.slice(0, last + 1).map((line) => line.trimEnd());
  }

  write(text: string): void {
    this.writes.push(text);
    for (const [token] of text.matchAll(/\u001b\[[?\d;]*[A-Za-z]|[^]/gu)) this.#take(token);
  }

  #take(token: string): void {
    if (token === "\n") this.#newline();
    else if (token === "\r") this.#column = 0;
    else if (token.length === 1 && token >= " ") this.#print(token);
    else if (/^\u001b\[\d*A$/.test(token)) this.#up(Number(token.slice(2, -1)));
    else if (token === "\u001b[K") this.#setLine(this.#line().slice(0, this.#column));
    else if (token === "\u001b[J") this.#clearBelow();
    else if (token === "\u001b[?7l") this.#wrap = false;
    else if (token === "\u001b[?7h") this.#wrap = true;
    else if (!/^\u001b\[(?:[\d;]*m|\?25[hl])$/.test(token)) throw new Error(`The terminal got ${JSON.stringify(token)}.`);
  }

  #newline(): void {
    this.#row++;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push("");
  }

  #print(character: string): void {
    if (this.#column === this.columns) {
      if (!this.#wrap) throw new Error("A line of the live part is too wide.");
      this.#newline();
    }
    const line = this.#line().padEnd(this.#column);
    this.#setLine(line.slice(0, this.#column) + character + line.slice(this.#column + 1));
    this.#column++;
  }

  #up(count: number): void {
    this.#row = Math.max(0, this.#lines.length - this.rows, this.#row - count);
  }

  #clearBelow(): void {
    this.#setLine(this.#line().slice(0, this.#column));
    this.#lines = this.#lines.slice(0, this.#row + 1);
  }

  #line(): string {
    return this.#lines[this.#row] ?? "";
  }

  #setLine(line: string): void {
    this.#lines[this.#row] = line;
  }
}
