import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { describe, expect, it } from "vitest";

import { moduleImports, packageOf, parseImports } from "./module-imports.ts";
import { repositoryRoot } from "./run-command.ts";

interface PackageRule {
  /** 0 is `core`; arrows point to the same level or down. */
  readonly level: 0 | 1 | 2 | 3;
  readonly exports: readonly string[];
  /** Workspace packages that it may depend on and import. */
  readonly mayImport: readonly string[];
}

/** Who may import whom, and what each package offers. A new package, entry point or arrow is a decision: it begins here. */
const rules: Readonly<Record<string, PackageRule>> = {
  core: { level: 0, exports: [".", "./errors"], mayImport: [] },
  cluster: { level: 1, exports: ["."], mayImport: ["core"] },
  "buildkit-client": { level: 1, exports: ["."], mayImport: ["context-sync", "core"] },
  "context-sync": { level: 1, exports: ["."], mayImport: ["cluster", "core"] },
  "registry-client": { level: 1, exports: ["."], mayImport: ["core"] },
  "secret-merging": { level: 1, exports: ["."], mayImport: ["cluster", "core"] },
  progress: { level: 1, exports: ["."], mayImport: ["core"] },
  "buildkit-driver": {
    level: 2,
    exports: ["."],
    mayImport: ["buildkit-client", "cluster", "context-sync", "core", "registry-client", "secret-merging"],
  },
  "kaniko-driver": {
    level: 2,
    exports: ["."],
    mayImport: ["cluster", "context-sync", "core", "registry-client", "secret-merging"],
  },
  testing: { level: 3, exports: [".", "./conformance"], mayImport: ["core"] },
  slipway: {
    level: 3,
    exports: [".", "./buildkit", "./cluster", "./context", "./kaniko", "./progress", "./registry", "./secrets"],
    mayImport: [
      "buildkit-driver",
      "cluster",
      "context-sync",
      "core",
      "kaniko-driver",
      "progress",
      "registry-client",
      "secret-merging",
    ],
  },
};

/** Slow to load: a program that imports `slipway` pays for none of them before its first build. */
const heavyLibraries = ["@bufbuild/protobuf", "@kubernetes/client-node", "dockerode", "undici", "ws"];

interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly publishConfig: { readonly exports: Manifest["exports"] };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const packagesFolder = join(repositoryRoot, "packages");
const folders = Object.keys(rules);

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(packagesFolder, folder, "package.json"), "utf8")) as Manifest;
}

const manifests = new Map(folders.map((folder) => [folder, readManifest(folder)]));
const folderByName = new Map([...manifests].map(([folder, manifest]) => [manifest.name, folder]));

/** The files that are published, without tests and what only tests use. */
function sourceFiles(folder: string): readonly string[] {
  return readdirSync(join(packagesFolder, folder, "src"), { recursive: true, encoding: "utf8" })
    .filter(
      (path) => path.endsWith(".ts") && !/\.(test|test-d|examples)\.ts$|(^|\/)(__fixtures__|testing)\//.test(path),
    )
    .map((path) => join(packagesFolder, folder, "src", path));
}

/** The file that a specifier means, or undefined when it is not of this workspace. */
function resolveSource(from: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) return join(dirname(from), specifier);
  const name = packageOf(specifier);
  const folder = name === undefined ? undefined : folderByName.get(name);
  if (name === undefined || folder === undefined) return undefined;
  const source = manifests.get(folder)?.exports[`.${specifier.slice(name.length)}`]?.["@slipway/source"];
  if (source === undefined)
    throw new Error(`${relative(repositoryRoot, from)} imports ${specifier}, which ${name} does not export.`);
  return join(packagesFolder, folder, source);
}

/** Libraries that load together with a module, each with the chain of modules that leads to it. */
function loadedLibraries(entry: string): ReadonlyMap<string, string> {
  const libraries = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (path: string, chain: readonly string[]): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const here = [...chain, relative(packagesFolder, path)];
    for (const { specifier, kind } of moduleImports(path)) {
      if (kind !== "static") continue;
      const library = packageOf(specifier);
      const source = resolveSource(path, specifier);
      if (source !== undefined) visit(source, here);
      else if (library !== undefined && !libraries.has(library)) libraries.set(library, here.join(" → "));
    }
  };
  visit(entry, []);
  return libraries;
}

describe("package graph", () => {
  it("has a rule for every package", () => {
    expect(readdirSync(packagesFolder).sort()).toEqual([...folders].sort());
  });

  it.each(folders.flatMap((folder) => (rules[folder]?.mayImport ?? []).map((other) => [folder, other] as const)))(
    "points %s at %s sideways or down, and no driver at a driver",
    (folder, other) => {
      expect(rules[other]?.level).toBeLessThanOrEqual(rules[folder]?.level ?? 0);
      expect(folder.endsWith("-driver") && other.endsWith("-driver")).toBe(false);
    },
  );

  it("has no cycle", () => {
    const order: string[] = [];
    const visit = (folder: string, path: readonly string[]): void => {
      expect(path, `${path.join(" → ")} → ${folder}`).not.toContain(folder);
      if (order.includes(folder)) return;
      for (const other of rules[folder]?.mayImport ?? []) visit(other, [...path, folder]);
      order.push(folder);
    };
    for (const folder of folders) visit(folder, []);
    expect(order).toHaveLength(folders.length);
  });
});

describe.each(folders)("package %s", (folder) => {
  const manifest = readManifest(folder);
  const rule = rules[folder] ?? { level: 0, exports: [], mayImport: [] };
  const allowed = rule.mayImport.map((other) => manifests.get(other)?.name ?? other);
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies };

  it("exports the pinned entry points, and publishes the same ones without the source condition", () => {
    expect(Object.keys(manifest.exports).sort()).toEqual([...rule.exports].sort());
    expect(Object.keys(manifest.publishConfig.exports).sort()).toEqual([...rule.exports].sort());
    for (const [key, target] of Object.entries(manifest.exports)) {
      expect(Object.keys(target)).toEqual(["@slipway/source", "types", "default"]);
      const { types, default: file } = target;
      expect(manifest.publishConfig.exports[key]).toEqual({ types, default: file });
    }
  });

  it("depends only on the workspace packages that it may import", () => {
    const workspace = Object.keys(declared).filter((name) => folderByName.has(name));
    expect(workspace.filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it("imports only what it declares, from the packages that it may import", () => {
    const offences: string[] = [];
    for (const path of sourceFiles(folder)) {
      for (const { specifier } of moduleImports(path)) {
        const name = packageOf(specifier);
        if (name === undefined) {
          if (
            specifier.startsWith(".") &&
            !join(dirname(path), specifier).startsWith(join(packagesFolder, folder, "src"))
          ) {
            offences.push(`${relative(packagesFolder, path)} leaves its package by ${specifier}`);
          }
          continue;
        }
        const isWorkspace = folderByName.has(name);
        if (isWorkspace && !allowed.includes(name))
          offences.push(`${relative(packagesFolder, path)} may not import ${name}`);
        if (!(name in declared))
          offences.push(`${relative(packagesFolder, path)} imports ${name}, which package.json does not declare`);
        resolveSource(path, specifier);
      }
    }
    expect(offences).toEqual([]);
  });
});

describe("loading", () => {
  const entries = folders.flatMap((folder) =>
    Object.entries(manifests.get(folder)?.exports ?? {}).map(([key, target]) => {
      const name = `${manifests.get(folder)?.name ?? folder}${key.slice(1)}`;
      return [name, join(packagesFolder, folder, target["@slipway/source"] ?? "")] as const;
    }),
  );

  it.each(entries)("of %s loads no heavy library", (_name, entry) => {
    const libraries = loadedLibraries(entry);
    expect(
      heavyLibraries
        .filter((library) => libraries.has(library))
        .map((library) => `${library} by ${libraries.get(library) ?? ""}`),
    ).toEqual([]);
  });

  it("is followed through relative paths and packages", () => {
    const libraries = loadedLibraries(join(packagesFolder, "slipway", "src", "buildkit.ts"));
    expect(libraries.has("zod")).toBe(true);
  });
});

describe("reading imports", () => {
  it.each([
    ['import { a } from "ws";', "static"],
    ['import "ws";', "static"],
    ['import { type A } from "ws";', "static"],
    ['export * from "ws";', "static"],
    ['import type { A } from "ws";', "type"],
    ['export type { A } from "ws";', "type"],
    ['let a: import("ws").A;', "type"],
    ['const load = () => import("ws");', "dynamic"],
  ])("reads %s as %s", (text, kind) => {
    expect(parseImports(text)).toEqual([{ specifier: "ws", kind }]);
  });

  it("knows the package of a specifier", () => {
    expect(["@a/b/c", "a/b", "a", "./a.ts", "node:fs"].map(packageOf)).toEqual([
      "@a/b",
      "a",
      "a",
      undefined,
      undefined,
    ]);
  });
});
