/**
 * Code in the docs comes from type-checked files. A marker above a code block names the file and one of its regions:
 *
 *     <!-- example: examples/ci/build-image.ts#build -->
 *
 * Without `#region` it means the whole file.
 */
const marked = /(<!-- example: ([^\s#]+)(?:#([\w-]+))? -->\n```\w*\n)[\s\S]*?(^```$)/gm;

/** Markdown with the code below each marker as it stands in the source now. `read` gives the text of a file in the repository. */
export function fillExamples(markdown: string, read: (path: string) => string): string {
  return markdown.replace(marked, (_block, head: string, path: string, region: string | undefined, tail: string) => {
    const text = read(path);
    return `${head}${region === undefined ? text : regionOf(text, region, path)}${tail}`;
  });
}

/** The lines between `// #region name` and `// #endregion name`, moved to the left edge. */
export function regionOf(text: string, name: string, path: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.trim() === `// #region ${name}`);
  const last = lines.findIndex((line) => line.trim() === `// #endregion ${name}`);
  if (first < 0 || last < first) throw new Error(`${path} has no region "${name}".`);
  const inside = lines.slice(first + 1, last);
  const indent = Math.min(
    ...inside.filter((line) => line.trim() !== "").map((line) => line.length - line.trimStart().length),
  );
  return inside.map((line) => `${line.slice(indent)}\n`).join("");
}
