const tabColumns = 8;

/** Sequences that carry a string up to a terminator (OSC, DCS, SOS, PM, APC), CSI sequences, all other escapes; ECMA-48, 5.3 to 5.6. */
const sequences =
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[ -/]*[0-~]/g;

const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** Text without what a terminal would obey instead of show: no colour, no cursor movement, no title. Tabs become spaces. */
export function stripControlSequences(text: string): string {
  const stripped = text.replace(sequences, "").replace(controls, "");
  return stripped.includes("\t") ? expandTabs(stripped) : stripped;
}

/** A text of several lines as one line, safe to print. */
export function oneLine(text: string): string {
  return stripControlSequences(text.replace(/\s+/g, " ")).trim();
}

/** The lines of a text, each safe to print. */
export function printableLines(text: string): string[] {
  return text.trimEnd().split("\n").map(stripControlSequences);
}

function expandTabs(text: string): string {
  const [first = "", ...rest] = text.split("\t");
  return rest.reduce(
    (line, part) => line.padEnd((Math.floor(line.length / tabColumns) + 1) * tabColumns) + part,
    first,
  );
}
