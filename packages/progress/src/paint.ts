import { styleText } from "node:util";

/** The styles that the terminal output uses. */
export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Puts a style on text, or leaves it as it is. */
export type Paint = (style: Style | undefined, text: string) => string;

/** A paint that does nothing unless there are colours. */
export function paintWith(colors: boolean): Paint {
  return (style, text) => {
    if (!colors || style === undefined || text === "") return text;
    return styleText(style, text, { validateStream: false });
  };
}
