/** Why a text is no name of a registry, which is a host with its port; `undefined` if it is one. */
export function registryProblem(text: string): string | undefined {
  return problemOf(text, { mayHavePath: false });
}

/** The same of a mirror, below a path of whose registry the images may be: `mirror.example.com/hub`. */
export function mirrorProblem(text: string): string | undefined {
  return problemOf(text, { mayHavePath: true });
}

function problemOf(text: string, { mayHavePath }: { readonly mayHavePath: boolean }): string | undefined {
  // Not the text itself: what stands before the @ may be a password.
  if (text.includes("@")) return "Names a user; write the host alone, and give the user as `credentials`";
  const quoted = JSON.stringify(text);
  const [, scheme, rest = ""] = /^(?:([a-z][a-z\d+.-]*):\/\/)?(.*)$/is.exec(text) ?? [];
  const [host = "", ...path] = rest.split("/");
  const folders = path.filter((folder) => folder !== "");
  const isPath = mayHavePath && folders.every(isFolder);
  const place = isPath ? [host, ...folders].join("/") : host;
  const advice = `write "${place}"`;
  if (!isHost(host))
    return `${quoted} is no host; write one with its port if it has one, such as "registry.example.com:5000"`;
  if (scheme !== undefined)
    return `${quoted} has a scheme; ${advice}${scheme.toLowerCase() === "http" ? " and set `http: true`" : ""}`;
  return rest === place ? undefined : `${quoted} has a path that does not belong there; ${advice}`;
}

/** Two dots would lead out of the registry's own addresses. */
function isFolder(text: string): boolean {
  return /^[\w.~-]+$/.test(text) && text !== "." && text !== "..";
}

/** What requests can be sent to, of which image references name but a part: they know no underscore, no dot at the end, and no letter beyond ASCII. */
function isHost(text: string): boolean {
  return !/[\s\p{Cc}\\/?#@]/u.test(text) && URL.canParse(`https://${text}`);
}
