import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A temporary folder to build from. */
export interface ContextFolder extends Disposable {
  readonly path: string;
  write(file: string, content: string | Uint8Array, mode?: number): void;
}

/** Makes a folder with these files. */
export function contextFolder(files: Readonly<Record<string, string>> = {}): ContextFolder {
  const path = mkdtempSync(join(tmpdir(), "slipway-context-"));
  const write: ContextFolder["write"] = (file, content, mode = 0o644) => {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content, { mode });
  };
  for (const [file, content] of Object.entries(files)) write(file, content);
  return { path, write, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
