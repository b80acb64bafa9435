import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Artifact, ArtifactStore } from "./artifact-store.ts";
import { hashInputs } from "./content-hash.ts";
import type { ImagePackage } from "./deb-packages.ts";
import { type FileTree, createFileTree } from "./file-tree.ts";
import { type ImageConfig, writeImageLayout } from "./image-layout.ts";
import { runCommand } from "./run-command.ts";

/** The images of the cluster, in the order in which a start needs them. */
export const imageNames = ["pause", "busybox", "registry", "cBase", "buildkit", "buildkitRootless"] as const;

/** One of {@link imageNames}. */
export type ImageName = (typeof imageNames)[number];

/** What an image may be made of. */
export interface ImageInputs {
  /** The binary of a Go program, by its file name. */
  binary(name: "pause" | "registry" | "buildkitd" | "buildctl" | "rootlesskit"): string;
  /** The unpacked files of a Debian package. */
  debian(name: ImagePackage): string;
}

interface ImageRecipe {
  readonly repository: string;
  readonly base?: ImageName;
  readonly config: ImageConfig;
  fill(tree: FileTree, inputs: ImageInputs): Promise<void>;
}

const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const rootlessHome = "/home/user";
const rootlessRuntime = "/run/user/1000";

/** How each image is made. Entrypoints, users and volumes of the BuildKit images are those of the published ones. */
export const imageRecipes: Readonly<Record<ImageName, ImageRecipe>> = {
  pause: {
    repository: "localhost/slipway/pause",
    config: { Entrypoint: ["/pause"], User: "65535:65535" },
    async fill(tree, inputs) {
      await tree.addFile("/pause", inputs.binary("pause"), { mode: 0o755 });
    },
  },
  busybox: {
    repository: "localhost/slipway/busybox",
    config: { Env: [path], Cmd: ["sh"] },
    async fill(tree, inputs) {
      addRootFolders(tree);
      await addBusybox(tree, inputs);
      await addPackage(tree, inputs.debian("libc6"));
    },
  },
  registry: {
    repository: "localhost/slipway/registry",
    config: {
      Env: [path, "OTEL_TRACES_EXPORTER=none"],
      Entrypoint: ["/bin/registry", "serve"],
      Cmd: ["/etc/distribution/config.yml"],
      ExposedPorts: { "5000/tcp": {} },
      Volumes: { "/var/lib/registry": {} },
    },
    async fill(tree, inputs) {
      await tree.addFile("/bin/registry", inputs.binary("registry"), { mode: 0o755 });
      tree.addText("/etc/distribution/config.yml", registryConfig).addDirectory("/tmp", { mode: 0o1777 });
    },
  },
  cBase: {
    repository: "localhost/slipway/c-base",
    base: "busybox",
    config: { Env: [path], Cmd: ["sh"] },
    async fill(tree, inputs) {
      for (const name of ["libc6-dev", "libcrypt1", "libcrypt-dev", "libgcc-s1", "linux-libc-dev", "tcc"] as const) {
        await addPackage(tree, inputs.debian(name));
      }
      tree.addLink("/usr/bin/cc", "tcc");
    },
  },
  buildkit: {
    repository: "localhost/slipway/buildkit",
    base: "busybox",
    config: { Env: [path], Entrypoint: ["buildkitd"], Volumes: { "/var/lib/buildkit": {} } },
    async fill(tree, inputs) {
      for (const name of ["buildkitd", "buildctl"] as const)
        await tree.addFile(`/usr/bin/${name}`, inputs.binary(name), { mode: 0o755 });
      await tree.addFile("/usr/bin/buildkit-runc", join(inputs.debian("runc"), "usr/sbin/runc"), { mode: 0o755 });
      await addPackage(tree, inputs.debian("libseccomp2"));
    },
  },
  buildkitRootless: {
    repository: "localhost/slipway/buildkit-rootless",
    base: "buildkit",
    config: {
      Env: [
        path,
        "USER=user",
        `HOME=${rootlessHome}`,
        `XDG_RUNTIME_DIR=${rootlessRuntime}`,
        `TMPDIR=${rootlessHome}/.local/tmp`,
        `BUILDKIT_HOST=unix://${rootlessRuntime}/buildkit/buildkitd.sock`,
      ],
      Entrypoint: ["rootlesskit", "buildkitd"],
      User: "1000:1000",
      WorkingDir: rootlessHome,
      Volumes: { [`${rootlessHome}/.local/share/buildkit`]: {} },
    },
    fill: addRootless,
  },
};

const registryConfig = `version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: /var/lib/registry}
  delete: {enabled: true}
  tag: {concurrencylimit: 8}
http: {addr: ":5000"}
`;

/** The reference under which an image is in the nodes' containerd: its tag is the hash of its inputs. */
export function imageReference(name: ImageName, artifact: Artifact): string {
  return `${imageRecipes[name].repository}:${artifact.key}`;
}

/** Describes one image as an artifact (an OCI layout). `inputKeys` are the keys of what {@link ImageInputs} reads. */
export function imageArtifact(
  store: ArtifactStore,
  name: ImageName,
  options: { inputKeys: readonly string[]; inputs: ImageInputs; base?: Artifact },
): Artifact {
  const recipe = imageRecipes[name];
  const key = hashInputs({ name, sources: imageSources.map(readSource), inputs: options.inputKeys });
  const artifact: Artifact = {
    name: `image-${recipe.repository.slice(recipe.repository.lastIndexOf("/") + 1)}`,
    key,
    async build(folder) {
      const tree = createFileTree();
      await recipe.fill(tree, options.inputs);
      const base = options.base && store.folder(options.base);
      const image = { reference: imageReference(name, artifact), tree, config: recipe.config };
      await writeImageLayout(folder, base === undefined ? image : { ...image, base });
    },
  };
  return artifact;
}

/** The code that decides what is in an image. Its text is an input, as the text of a Dockerfile would be. */
const imageSources = ["image-recipes.ts", "file-tree.ts", "image-layout.ts", "tar-writer.ts"];

function readSource(file: string): string {
  return readFileSync(join(import.meta.dirname, file), "utf8");
}

function addRootFolders(tree: FileTree): void {
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    tree.addDirectory(`/usr/${folder}`).addLink(`/${folder}`, `usr/${folder}`);
  }
  for (const folder of ["/dev", "/etc", "/proc", "/run", "/sys", "/var"]) tree.addDirectory(folder);
  tree.addDirectory("/root", { mode: 0o700 });
  for (const folder of ["/tmp", "/var/tmp"]) tree.addDirectory(folder, { mode: 0o1777 });
  tree.addText("/etc/passwd", accounts.passwd).addText("/etc/group", accounts.group);
  tree.addText("/etc/nsswitch.conf", "hosts: files dns\n");
}

const accounts = {
  passwd:
    "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/false\n",
  group: "root:x:0:\nuser:x:1000:\nnogroup:x:65534:\n",
};

const mergedFolders = /^\/(bin|sbin|lib|lib64)\//;
const unneeded = /^\/usr\/(share\/(doc|man|locale|lintian|info)|lib\/[^/]+\/gconv)(\/|$)/;

/** Adds a package's files below /usr, where /bin, /sbin and /lib point. */
async function addPackage(tree: FileTree, folder: string): Promise<void> {
  await tree.addFolder(folder, {
    keep: (file) => !unneeded.test(file),
    place: (file) => (mergedFolders.test(file) ? `/usr${file}` : file),
  });
}

async function addBusybox(tree: FileTree, inputs: ImageInputs): Promise<void> {
  const binary = join(inputs.debian("busybox-static"), "bin/busybox");
  await tree.addFile("/usr/bin/busybox", binary, { mode: 0o755 });
  const applets = (await runCommand([binary, "--list"])).trim().split("\n");
  for (const applet of applets) if (applet !== "busybox") tree.addLink(`/usr/bin/${applet}`, "busybox");
}

/** A file capability as the kernel stores it: version 2, effective bit set, one permitted capability. */
function fileCapability(bit: number): Readonly<Record<string, Uint8Array>> {
  const value = Buffer.alloc(20);
  value.writeUInt32LE(0x02000001, 0);
  value.writeUInt32LE(1 << bit, 4);
  return { "security.capability": value };
}

async function addRootless(tree: FileTree, inputs: ImageInputs): Promise<void> {
  await tree.addFile("/usr/bin/rootlesskit", inputs.binary("rootlesskit"), { mode: 0o755 });
  for (const name of ["libaudit1", "libselinux1", "libcap-ng0", "libpcre2-8-0"] as const)
    await addPackage(tree, inputs.debian(name));
  // Set-uid root is not enough in a pod: root there is not the owner of the new user namespace. A file capability is.
  const uidmap = join(inputs.debian("uidmap"), "usr/bin");
  await tree.addFile("/usr/bin/newuidmap", join(uidmap, "newuidmap"), { mode: 0o755, xattrs: fileCapability(7) });
  await tree.addFile("/usr/bin/newgidmap", join(uidmap, "newgidmap"), { mode: 0o755, xattrs: fileCapability(6) });
  tree.addText("/etc/subuid", "user:100000:65536\n").addText("/etc/subgid", "user:100000:65536\n");
  const owner = { uid: 1000, gid: 1000 };
  for (const folder of ["", "/.local", "/.local/share", "/.local/share/buildkit", "/.local/tmp"]) {
    tree.addDirectory(`${rootlessHome}${folder}`, owner);
  }
  tree.addDirectory("/run/user").addDirectory(rootlessRuntime, { ...owner, mode: 0o700 });
}

/** Reads the reference that an image layout was written with. */
export async function layoutReference(layout: string): Promise<string> {
  const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as {
    manifests: { annotations: Record<string, string> }[];
  };
  return index.manifests[0]?.annotations["io.containerd.image.name"] ?? "";
}
