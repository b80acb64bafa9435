import { clientPlatform, contextPattern, type ClientPlatform } from "./client-platform.ts";
import { contextInvalid } from "./context-invalid.ts";
import { cleanPath, trimSpace } from "./go-path.ts";

const maxLineBytes = 64 * 1024 - 1;

/**
 * The patterns of a `.dockerignore` file, normalised as BuildKit's frontend does it: comments, blank lines and a byte order mark
 * dropped, paths cleaned, one leading `/` removed, `!` kept.
 *
 * @param platform - of the client: on Windows a backslash separates. Defaults to that of this process.
 * @throws `CONTEXT_INVALID` for a line of 64 KiB or more, which Docker's own reader refuses too.
 */
export function parseDockerignore(text: string, platform: ClientPlatform = clientPlatform): string[] {
  const withoutMark = text.startsWith("\ufeff") ? text.slice(1) : text;
  return withoutMark.split("\n").flatMap((line, index) => {
    if (Buffer.byteLength(line) > maxLineBytes) {
      throw contextInvalid(
        ".dockerignore",
        `Line ${index + 1} of .dockerignore is 64 KiB or longer. Split it into several lines.`,
      );
    }
    return line.startsWith("#") ? [] : parseLine(contextPattern(trimSpace(line), platform));
  });
}

function parseLine(line: string): string[] {
  if (line === "") return [];
  if (!line.startsWith("!")) return [normalize(line)];
  return [`!${normalize(trimSpace(line.slice(1)))}`];
}

function normalize(pattern: string): string {
  if (pattern === "") return pattern;
  const cleaned = cleanPath(pattern);
  return cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
}
