import { execFile } from "node:child_process";
import { promisify } from "node:util";

import type { BuildEvent } from "slipway";

/** Prints a hash of all that a folder holds: contents, types, modes, names and the targets of links. Runs in busybox as it does here. */
export const hashScript = [
  "export LC_ALL=C",
  "{ find . -type f -exec sha256sum {} +",
  "find . -mindepth 1 ! -type l -exec stat -c '%a %F %n' {} + | sed 's/regular empty file/regular file/'",
  'find . -type l -exec sh -c \'for link; do echo "$(readlink "$link") $link"; done\' - {} +',
  "} | sort | sha256sum | cut -c 1-64",
].join("; ");

/** A Dockerfile that prints the hash of its context. */
export function hashingDockerfile(from: string): string {
  return `${from}COPY . /context/\nRUN cd /context && echo "context-hash $(${hashScript})"\n`;
}

/** The hash that a build has printed, in what its steps have printed. */
export function printedHash(output: string): string | undefined {
  return /^context-hash ([0-9a-f]{64})$/m.exec(output)?.[1];
}

/** The hash that a build has printed, as its events have it. */
export function hashInEvents(events: readonly BuildEvent[]): string | undefined {
  return printedHash(events.flatMap((event) => (event.type === "step-log" ? [event.text] : [])).join(""));
}

/** The hash of a folder of this machine. */
export async function hashOfFolder(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)("sh", ["-c", hashScript], { cwd: path });
  return stdout.trim();
}
