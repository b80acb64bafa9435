import { homedir } from "node:os";

import { expect, test } from "vitest";

import { cacheFolder } from "./cache-folder.ts";

test.each([
  [{ XDG_CACHE_HOME: "/var/cache/me" }, "linux", "/var/cache/me/slipway"],
  [{ XDG_CACHE_HOME: "relative" }, "linux", `${homedir()}/.cache/slipway`],
  [{}, "linux", `${homedir()}/.cache/slipway`],
  [{}, "darwin", `${homedir()}/Library/Caches/slipway`],
  [{ LOCALAPPDATA: "/local" }, "win32", "/local/slipway/Cache"],
] as const)("%o on %s is %s", (environment, platform, folder) => {
  expect(cacheFolder(environment, platform)).toBe(folder);
});
