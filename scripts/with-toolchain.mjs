// Runs a command of this repository with the Node and pnpm that it is developed with. A fresh machine needs only Node 20 and npm:
// this file stays plain JavaScript and imports nothing that has to be installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";

const nodeVersion = "24.21.0";
const pnpmVersion = "12.21.0";
const root = resolve(import.meta.dirname, "..");
const cacheFolder = resolve(process.env.SLIPWAY_CACHE ?? join(homedir(), ".cache", "slipway"));

/** What each command runs; the cluster command needs no installed packages. */
const commands = {
  bench: ["bench/run.ts"],
  build: ["scripts/build.ts"],
  "check-packages": ["scripts/check-packages.ts"],
  cluster: ["dev-cluster/src/main.ts"],
  demo: ["examples/demo/demo.ts"],
  docs: ["scripts/docs.ts"],
  format: ["scripts/format.ts"],
  fuzz: ["scripts/fuzz.ts"],
  lint: ["scripts/lint.ts"],
  matrix: ["scripts/matrix.ts"],
  test: ["scripts/test.ts"],
  typecheck: ["scripts/typecheck.ts"],
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

function run(file, argv, options = {}) {
  const result = spawnSync(file, argv, { cwd: root, stdio: "inherit", ...options });
  if (result.error !== undefined) fail(`${file} did not start: ${result.error.message}`);
  return result.status ?? 1;
}

function isSupported(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 19);
}

/** Installs the pinned tools into the cache folder, whole or not at all. */
function toolchain() {
  const own = isSupported(process.versions.node);
  const packages = [`pnpm@${pnpmVersion}`, ...(own ? [] : [`node-${process.platform}-${process.arch}@${nodeVersion}`])];
  const folder = join(cacheFolder, "toolchain", packages.join("+").replaceAll("@", "-"));
  if (!existsSync(folder)) {
    console.error(`Installing ${packages.join(" and ")} …`);
    const staging = `${folder}.${process.pid}`;
    mkdirSync(staging, { recursive: true });
    writeFileSync(join(staging, "package.json"), "{}\n");
    const npm = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", staging];
    if (run("npm", [...npm, ...packages], { cwd: staging, stdio: ["ignore", 2, 2] }) !== 0) {
      rmSync(staging, { recursive: true, force: true });
      fail(`npm could not install ${packages.join(" and ")}. Check the network, or use Node 22.19 or newer.`);
    }
    try {
      renameSync(staging, folder);
    } catch (error) {
      // Another process was first: its folder is as good as ours.
      rmSync(staging, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  const modules = join(folder, "node_modules");
  const node = own ? process.execPath : join(modules, `node-${process.platform}-${process.arch}`, "bin", "node");
  return {
    node,
    path: [resolve(node, ".."), join(modules, ".bin"), process.env.PATH].join(delimiter),
    pnpm: join(modules, ".bin", "pnpm"),
  };
}

/** Installs the workspace when the lockfile is not the one that was installed last. */
function installWorkspace(pnpm, env) {
  const stamp = join(root, "node_modules", ".slipway-installed");
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  // With CI set pnpm never asks before it replaces node_modules.
  const argv = ["install", "--frozen-lockfile", "--ignore-scripts", "--reporter=append-only", "--loglevel=warn"];
  const status = run(pnpm, argv, { env: { ...env, CI: "true" }, stdio: ["ignore", 2, 2] });
  if (status !== 0) fail("pnpm could not install the workspace; see its output above.");
  writeFileSync(stamp, wanted);
}

const [name = "", ...argv] = process.argv.slice(2);
const command = commands[name];
if (command === undefined) fail(`Unknown command "${name}". Commands: ${Object.keys(commands).join(", ")}.`);
const { node, path, pnpm } = toolchain();
const env = { ...process.env, PATH: path, SLIPWAY_CACHE: cacheFolder };
if (name !== "cluster") installWorkspace(pnpm, env);
// A signal goes to the whole process group; the child decides, and this process reports how the child ended.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {});
process.exit(
  run(node, ["--conditions=@slipway/source", "--disable-warning=ExperimentalWarning", ...command, ...argv], { env }),
);
