import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, symlinkSync, truncateSync, unlinkSync } from "node:fs";

type FileChange = (path: string) => void;

function replaceBy(make: FileChange): FileChange {
  return (path) => {
    unlinkSync(path);
    make(path);
  };
}

/** What can happen to a file between the scan and the last byte read. */
export const fileChanges: readonly (readonly [what: string, change: FileChange])[] = [
  ["grows", (path) => appendFileSync(path, "more")],
  ["shrinks", (path) => truncateSync(path, 100)],
  ["is emptied", (path) => truncateSync(path)],
  ["vanishes", (path) => unlinkSync(path)],
  ["becomes a directory", replaceBy((path) => mkdirSync(path))],
  ["becomes a link", replaceBy((path) => symlinkSync("/etc/hostname", path))],
  ["becomes a FIFO", replaceBy((path) => execFileSync("mkfifo", [path]))],
];
