/** The operating system of the client, as far as contexts differ by it: macOS has them as Linux does. */
export type ClientPlatform = "posix" | "windows";

/** That of this process. */
export const clientPlatform: ClientPlatform = process.platform === "win32" ? "windows" : "posix";

/**
 * The mode that an entry has in a context. Windows knows no execute bits: there Docker and BuildKit give them to everybody, and the right to
 * write to the owner alone (`chmodTarEntry` of moby/go-archive, `stat_windows.go` of tonistiigi/fsutil).
 */
export function contextMode(mode: number, platform: ClientPlatform): number {
  return platform === "windows" ? (mode & ~0o777) | (((mode & 0o777) | 0o111) & 0o755) : mode;
}

/** A path, or the target of a symbolic link, with the separators of a context. On Windows no name can hold a backslash. */
export function contextPath(path: string, platform: ClientPlatform): string {
  return platform === "windows" ? path.replaceAll("\\", "/") : path;
}

/**
 * A pattern with the separators of a context. On Windows a backslash separates, and so nothing can be escaped there. Upper and lower case
 * differ in patterns on every system, whatever the file system thinks, as with Docker.
 */
export function contextPattern(pattern: string, platform: ClientPlatform): string {
  return contextPath(pattern, platform);
}
