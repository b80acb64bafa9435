import { homedir } from "node:os";
import { join } from "node:path";

/** Where this platform keeps what can be made anew: the XDG folder, `~/Library/Caches` or `%LOCALAPPDATA%`, with `slipway` below. */
export function cacheFolder(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = environment;
  // The specification wants relative paths to be ignored.
  if (xdg?.startsWith("/")) return join(xdg, "slipway");
  if (platform === "win32") return join(local ?? join(homedir(), "AppData", "Local"), "slipway", "Cache");
  return platform === "darwin" ? join(homedir(), "Library", "Caches", "slipway") : join(homedir(), ".cache", "slipway");
}
