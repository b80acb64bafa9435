/** How a registry wants to be asked: RFC 9110's `WWW-Authenticate`. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const parameter = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y;
const scheme = /([A-Za-z][\w-]*)(?=\s|,|$)(?!\s*=)/y;
const separator = /[\s,]*/y;

/** Parses a header that may hold several challenges: `Bearer realm="…",scope="a,b", Basic realm="x"`. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    const match = pattern.exec(header);
    if (match !== null) position = pattern.lastIndex;
    return match;
  };
  while (position < header.length) {
    take(separator);
    const found = take(parameter);
    if (found !== null) {
      const [, name = "", quoted, bare = ""] = found;
      const current = challenges.at(-1);
      if (current) current.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, "$1") ?? bare;
      continue;
    }
    const next = take(scheme);
    if (next === null) break;
    challenges.push({ scheme: (next[1] ?? "").toLowerCase(), parameters: {} });
  }
  return challenges;
}
