import type { ManifestEntry } from "./context-manifest.ts";

/** All of an entry that makes an image differ, beside its path. Its type and permissions come first, in octal digits. */
export function identityOf(entry: ManifestEntry): string {
  const { mode, linkname = "", hardlink = false, devMajor, devMinor, sha256 = "" } = entry;
  return `${mode.toString(8)} ${hardlink ? "hardlink " : ""}${devMajor}:${devMinor} ${sha256} ${linkname}`;
}
