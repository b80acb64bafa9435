import { symlink } from "node:fs/promises";
import { join } from "node:path";

import type { Artifact, ArtifactStore } from "./artifact-store.ts";
import { hashFolder, hashInputs } from "./content-hash.ts";
import { runCommand, runContained } from "./run-command.ts";

/** A program that is built from its public Go module, at the version that its go.mod pins. */
export interface GoProgram {
  readonly name: string;
  /** What the progress calls it. */
  readonly title: string;
  /** The file name of its (first) binary. */
  readonly binary: string;
  readonly packages: readonly string[];
  readonly tags?: readonly string[];
  readonly linkerFlags?: readonly string[];
  /** Further names by which the (only) binary is called. */
  readonly links?: readonly string[];
}

const kubernetesVersion = "1.34.10";

function kubernetesVersionFlags(): string[] {
  const [major = "", minor = ""] = kubernetesVersion.split(".");
  const values = {
    gitVersion: `v${kubernetesVersion}`,
    gitMajor: major,
    gitMinor: minor,
    gitCommit: "0".repeat(40),
    gitTreeState: "clean",
    buildDate: "2025-01-01T00:00:00Z",
  };
  const packages = ["k8s.io/client-go/pkg/version", "k8s.io/component-base/version"];
  return packages.flatMap((name) => Object.entries(values).map(([key, value]) => `-X ${name}.${key}=${value}`));
}

/** The programs that the cluster and its images are made of, and the peers of the benches. */
export const goPrograms = {
  hyper: {
    name: "kubernetes",
    binary: "hyper",
    title: `Kubernetes ${kubernetesVersion} with etcd 3.6.4`,
    packages: ["."],
    tags: ["selinux", "notest", "grpcnotrace"],
    linkerFlags: kubernetesVersionFlags(),
    links: ["kubectl"],
  },
  pause: { name: "pause", title: "pause", binary: "pause", packages: ["."] },
  addons: { name: "addons", title: "CoreDNS 1.12.4 and volume provisioner", binary: "addons", packages: ["."] },
  registry: { name: "registry", title: "registry 3.1.2", binary: "registry", packages: ["."] },
  buildkit: {
    name: "buildkit",
    title: "BuildKit 0.32.2",
    binary: "buildkitd",
    packages: ["github.com/moby/buildkit/cmd/buildkitd", "github.com/moby/buildkit/cmd/buildctl"],
    linkerFlags: ["-X github.com/moby/buildkit/version.Version=v0.32.2"],
  },
  rootlesskit: {
    name: "rootlesskit",
    title: "RootlessKit 2.3.6",
    binary: "rootlesskit",
    packages: ["github.com/rootless-containers/rootlesskit/v2/cmd/rootlesskit"],
  },
  buildx: {
    name: "buildx",
    title: "buildx 0.36.1",
    binary: "buildx",
    packages: ["github.com/docker/buildx/cmd/buildx"],
    linkerFlags: ["-X github.com/docker/buildx/version.Version=v0.36.1"],
  },
  regctl: {
    name: "regctl",
    title: "regctl 0.11.7",
    binary: "regctl",
    packages: ["github.com/regclient/regclient/cmd/regctl"],
  },
  kaniko: {
    name: "kaniko",
    title: "kaniko 1.24.0",
    binary: "executor",
    packages: ["github.com/GoogleContainerTools/kaniko/cmd/executor"],
    linkerFlags: ["-X github.com/GoogleContainerTools/kaniko/pkg/version.version=v1.24.0"],
  },
} as const satisfies Record<string, GoProgram>;

/** The names in {@link goPrograms}. */
export type GoProgramName = keyof typeof goPrograms;

/** The binary of a program inside its artifact folder. */
export function programBinary(folder: string, name: GoProgramName): string {
  return join(folder, goPrograms[name].binary);
}

/** Reads the version of the Go command; it is an input of every artifact. */
export async function goVersion(): Promise<string> {
  return (await runCommand(["go", "env", "GOVERSION"], { env: goEnvironment() })).trim();
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=readonly", GOTOOLCHAIN: "local", GOWORK: "off" };
}

/** Describes the build of one program. `go` is what {@link goVersion} returned. */
export function goArtifact(store: ArtifactStore, program: GoProgram, go: string): Artifact {
  const source = join(import.meta.dirname, "..", "go", program.name);
  const argv = buildCommand(program);
  const artifact: Artifact = {
    name: program.name,
    key: hashInputs({ argv, go, arch: process.arch, source: hashFolder(source), salt: artifactSalt(program.name) }),
    build: (folder) => compile(folder, source, argv, program, store.logFile(artifact)),
  };
  return artifact;
}

/** `SLIPWAY_ARTIFACT_SALT=name=text` makes one artifact build anew: tests use it to see a compile. */
function artifactSalt(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const [salted, salt] = (env["SLIPWAY_ARTIFACT_SALT"] ?? "").split("=");
  return salted === name ? (salt ?? "") : "";
}

function buildCommand(program: GoProgram): readonly string[] {
  const tags = program.tags ? ["-tags", program.tags.join(",")] : [];
  const flags = ["-s", "-w", ...(program.linkerFlags ?? [])].join(" ");
  return ["go", "build", "-trimpath", "-buildvcs=false", ...tags, "-ldflags", flags, ...program.packages];
}

async function compile(
  folder: string,
  source: string,
  argv: readonly string[],
  program: GoProgram,
  logFile: string,
): Promise<void> {
  const [go = "go", build = "build", ...rest] = argv;
  // Packages of another module keep their names; our own would be called like its folder.
  const target = program.packages.includes(".") ? join(folder, program.binary) : `${folder}/`;
  await runContained([go, build, "-o", target, ...rest], {
    cwd: source,
    env: goEnvironment(),
    logFile,
    remedy: "Check the log. Go modules come through GOPROXY: it must be reachable for the first build.",
  });
  for (const link of program.links ?? []) await symlink(program.binary, join(folder, link));
}
