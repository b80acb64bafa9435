import { execFile } from "node:child_process";
import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { beforeAll, expect, test } from "vitest";

const execute = promisify(execFile);
const root = fileURLToPath(new URL("../../..", import.meta.url)).replace(/\/$/, "");
const folder = `${root}/packages/slipway`;
const heavy = ["@kubernetes/client-node", "dockerode", "undici", "ws", "@bufbuild/protobuf"];

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Manifest;
const specifiers = Object.keys(manifest.exports).map((key) => key.replace(/^\./, "slipway"));

/** Whether what is built is older than what it is built of. */
function isStale(name: string): boolean {
  const built = `${root}/packages/${name}/dist/index.js`;
  const sources = globSync(`packages/${name}/src/**/*.ts`, { cwd: root }).filter(
    (file) => !/\.test(-d)?\.ts$/.test(file),
  );
  return !existsSync(built) || sources.some((file) => statSync(`${root}/${file}`).mtimeMs > statSync(built).mtimeMs);
}

beforeAll(async () => {
  const names = ["slipway", ...Object.keys(manifest.dependencies).map((name) => name.replace("@slipway/", ""))];
  if (names.some(isStale)) await execute("pnpm", ["--filter", "slipway...", "run", "build"], { cwd: root });
}, 300_000);

/** The URL of every module that a fresh process loads for an import. */
async function modulesOf(specifier: string): Promise<readonly string[]> {
  const program = `
    import { registerHooks } from "node:module";
    const urls = [];
    registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
    await import(${JSON.stringify(specifier)});
    console.log(JSON.stringify(urls));`;
  const { stdout } = await execute(process.execPath, ["--input-type=module", "-e", program], { cwd: folder });
  return JSON.parse(stdout) as string[];
}

test.each(specifiers)(
  "IMPORT: of the built packages, import(%j) loads none of the heavy libraries",
  async (specifier) => {
    const urls = await modulesOf(specifier);
    expect(urls.some((url) => url.includes("/packages/slipway/dist/"))).toBe(true);
    const loaded = heavy.filter((library) => urls.some((url) => url.includes(`/node_modules/${library}/`)));
    expect(loaded).toEqual([]);
  },
);
