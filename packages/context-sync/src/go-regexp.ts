import { BadPatternError } from "./filepath-match.ts";

/**
 * Compiles the regular expressions that a path pattern turns into, with Go's meaning: `.` is anything but a line feed, a `]` right after
 * `[` is a member of the class, `[` inside of a class is a character, `\` before a letter must be an escape that Go knows.
 *
 * @throws BadPatternError for what Go's `regexp.Compile` refuses.
 */
export function compileGoRegExp(source: string): RegExp {
  const reader: Reader = { characters: Array.from(source), position: 0 };
  let translated = "";
  while (reader.position < reader.characters.length) translated += translateNext(reader);
  try {
    return new RegExp(translated, "u");
  } catch (error) {
    throw new BadPatternError(error instanceof Error ? error.message : String(error));
  }
}

interface Reader {
  readonly characters: readonly string[];
  position: number;
}

const operators = new Set(["^", "$", "(", ")", "*", "?", "|"]);

function translateNext(reader: Reader): string {
  const character = reader.characters[reader.position++] ?? "";
  if (character === "\\") return translateEscape(reader);
  if (character === "[") return translateClass(reader);
  if (character === ".") return "[^\\n]";
  if (character === "{") return translateBrace(reader);
  return operators.has(character) ? character : literal(character);
}

/** A brace is a repetition where it reads like one, else a character. */
function translateBrace(reader: Reader): string {
  const rest = reader.characters.slice(reader.position).join("");
  const repetition = /^(\d+)(?:,(\d*))?\}/.exec(rest);
  if (repetition === null) return literal("{");
  if (Number(repetition[1]) > 1000 || Number(repetition[2] ?? 0) > 1000)
    throw new BadPatternError("more than 1000 repetitions");
  reader.position += repetition[0].length;
  return `{${repetition[0]}`;
}

function literal(character: string): string {
  return /^[\w/]$/.test(character) ? character : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function translateClass(reader: Reader): string {
  const { characters } = reader;
  let members = "";
  if (characters[reader.position] === "^") {
    members = "^";
    reader.position++;
  }
  for (let first = true; first || characters[reader.position] !== "]"; first = false) members += classMember(reader);
  reader.position++;
  return `[${members}]`;
}

function classMember(reader: Reader): string {
  const { characters } = reader;
  const named = posixClass(reader) ?? perlClass(reader);
  if (named !== undefined) return named;
  const low = classCharacter(reader);
  if (characters[reader.position] !== "-" || characters[reader.position + 1] === "]") return low;
  reader.position++;
  return `${low}-${classCharacter(reader)}`;
}

function classCharacter(reader: Reader): string {
  const character = reader.characters[reader.position++];
  if (character === undefined) throw new BadPatternError("a character class is not closed");
  return character === "\\" ? characterEscape(reader) : literal(character);
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: "\\0-\\x7f",
  blank: "\\t ",
  cntrl: "\\0-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`\\{-~",
  space: "\\t-\\r ",
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

function posixClass(reader: Reader): string | undefined {
  const rest = reader.characters.slice(reader.position).join("");
  const match = /^\[:(\w+):\]/.exec(rest);
  if (match?.[1] === undefined) return undefined;
  const members = posixClasses[match[1]];
  if (members === undefined) throw new BadPatternError(`no character class has the name ${match[1]}`);
  reader.position += match[0].length;
  return members;
}

const perlClasses: Readonly<Record<string, string>> = {
  d: "\\d",
  D: "\\D",
  w: "\\w",
  W: "\\W",
  s: "\\t\\n\\f\\r ",
  S: "\\0-\\x08\\x0b\\x0e-\\x1f!-\\u{10ffff}",
};

function perlClass(reader: Reader): string | undefined {
  const { characters, position } = reader;
  if (characters[position] !== "\\") return undefined;
  const name = characters[position + 1] ?? "";
  if (name === "p" || name === "P") {
    reader.position += 3;
    return `\\${name}{${characters[position + 2] ?? ""}}`;
  }
  const members = perlClasses[name];
  if (members !== undefined) reader.position += 2;
  return members;
}

/** Translates an escape outside of a class, from behind its backslash. */
function translateEscape(reader: Reader): string {
  reader.position--;
  const members = perlClass(reader);
  if (members !== undefined) return `[${members}]`;
  const name = reader.characters[++reader.position] ?? "";
  const anchor = { A: "^", z: "$", b: "\\b", B: "\\B" }[name];
  if (anchor === undefined) return characterEscape(reader);
  reader.position++;
  return anchor;
}

const controlCharacters: Readonly<Record<string, string>> = {
  a: "\\x07",
  f: "\\f",
  n: "\\n",
  r: "\\r",
  t: "\\t",
  v: "\\v",
};

/** Translates an escape that stands for one character, from behind its backslash. */
function characterEscape(reader: Reader): string {
  const rest = reader.characters.slice(reader.position, reader.position + 3).join("");
  const numeric = /^(?:x([0-9A-Fa-f]{2})|(0[0-7]{0,2}|[1-7][0-7]{1,2}))/.exec(rest);
  if (numeric !== null) {
    reader.position += numeric[0].length;
    const code = numeric[1] === undefined ? Number.parseInt(numeric[2] ?? "", 8) : Number.parseInt(numeric[1], 16);
    return literal(String.fromCodePoint(code));
  }
  const character = reader.characters[reader.position++] ?? "";
  const control = controlCharacters[character];
  if (control !== undefined) return control;
  if (!/^[\0-\x7f]$/.test(character) || /^[0-9A-Za-z]$/.test(character)) {
    throw new BadPatternError(`\\${character} is no escape`);
  }
  return literal(character);
}
