import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import { repositoryRoot } from "./run-command.ts";

/** The repository's own Markdown files, by their paths below its root. */
export function docFiles(): readonly string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(repositoryRoot, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path));
  const readmes = readdirSync(join(repositoryRoot, "packages")).map((folder) => join("packages", folder, "README.md"));
  const found = [...readdirSync(repositoryRoot), ...below("docs"), ...readmes, "dev-cluster/README.md"].filter((path) =>
    path.endsWith(".md"),
  );
  return found.filter((path) => !path.startsWith(join("docs", "api"))).sort();
}

/** The text of a file in the repository. */
export function readRepositoryFile(path: string): string {
  return readFileSync(join(repositoryRoot, path), "utf8");
}
