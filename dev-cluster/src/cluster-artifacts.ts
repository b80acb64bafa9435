import { join } from "node:path";

import type { Artifact, ArtifactStore } from "./artifact-store.ts";
import { type ImagePackage, imagePackagesArtifact, nodePackagesArtifact } from "./deb-packages.ts";
import { type GoProgramName, goArtifact, goPrograms, programBinary } from "./go-programs.ts";
import {
  type ImageInputs,
  type ImageName,
  imageArtifact,
  imageNames,
  imageRecipes,
  imageReference,
} from "./image-recipes.ts";
import type { Progress } from "./progress.ts";

type ClusterProgram = Exclude<GoProgramName, "buildx" | "regctl" | "kaniko">;

/** Everything that a cluster is made of, by the hash of its inputs. Nothing is built yet. */
export interface ClusterArtifacts {
  readonly programs: Readonly<Record<ClusterProgram, Artifact>>;
  readonly nodePackages: Artifact;
  readonly imagePackages: Artifact;
  readonly images: Readonly<Record<ImageName, Artifact>>;
}

const programsOfImage: Readonly<Record<ImageName, readonly ClusterProgram[]>> = {
  pause: ["pause"],
  busybox: [],
  registry: ["registry"],
  cBase: [],
  buildkit: ["buildkit"],
  buildkitRootless: ["rootlesskit"],
};

/** Computes the artifacts. `go` is the version of the Go command. */
export function planArtifacts(store: ArtifactStore, go: string): ClusterArtifacts {
  const program = (name: ClusterProgram): Artifact => goArtifact(store, goPrograms[name], go);
  const programs = {
    hyper: program("hyper"),
    pause: program("pause"),
    addons: program("addons"),
    registry: program("registry"),
    buildkit: program("buildkit"),
    rootlesskit: program("rootlesskit"),
  };
  const imagePackages = imagePackagesArtifact(store);
  const inputs = imageInputs(store, programs, imagePackages);
  const images: Partial<Record<ImageName, Artifact>> = {};
  for (const name of imageNames) {
    const baseName = imageRecipes[name].base;
    const base = baseName && images[baseName];
    const needed = [...programsOfImage[name].map((used) => programs[used]), imagePackages, ...(base ? [base] : [])];
    const options = { inputs, inputKeys: needed.map(({ key }) => key) };
    images[name] = imageArtifact(store, name, base ? { ...options, base } : options);
  }
  return {
    programs,
    imagePackages,
    nodePackages: nodePackagesArtifact(store),
    images: images as Record<ImageName, Artifact>,
  };
}

function imageInputs(store: ArtifactStore, programs: ClusterArtifacts["programs"], packages: Artifact): ImageInputs {
  const owner = {
    pause: "pause",
    registry: "registry",
    buildkitd: "buildkit",
    buildctl: "buildkit",
    rootlesskit: "rootlesskit",
  } as const;
  return {
    binary: (name) => join(store.folder(programs[owner[name]]), name),
    debian: (name: ImagePackage) => join(store.folder(packages), name),
  };
}

/** The references of all images as the nodes know them. */
export function imageReferences(artifacts: ClusterArtifacts): Readonly<Record<ImageName, string>> {
  return Object.fromEntries(imageNames.map((name) => [name, imageReference(name, artifacts.images[name])])) as Record<
    ImageName,
    string
  >;
}

/** The binary of a program, once built. */
export function binaryOf(store: ArtifactStore, artifacts: ClusterArtifacts, name: ClusterProgram): string {
  return programBinary(store.folder(artifacts.programs[name]), name);
}

/** Artifacts under construction: each promise fulfils with a folder as soon as that one is finished. */
export interface Preparation {
  program(name: ClusterProgram): Promise<string>;
  nodePackages(): Promise<string>;
  image(name: ImageName): Promise<string>;
}

/**
 * Starts everything at once, each as early as its inputs allow. Compiles run in two lanes, since more do not help on two
 * processors: Kubernetes takes as long as all the others. The addons come last, when what they share with it is in Go's cache.
 */
export function prepareArtifacts(store: ArtifactStore, artifacts: ClusterArtifacts, progress: Progress): Preparation {
  const ensure = (artifact: Artifact, title: string): Promise<string> =>
    store.has(artifact)
      ? Promise.resolve(store.folder(artifact))
      : progress.step(title, () =>
          store.ensure(artifact, () => progress.note(`${title}: another command is at it; waiting`)),
        );
  const compile = (name: ClusterProgram): Promise<string> =>
    ensure(artifacts.programs[name], `compile ${goPrograms[name].title}`);
  const hyper = compile("hyper");
  const pause = compile("pause");
  const registry = pause.then(() => compile("registry"));
  const buildkit = registry.then(() => compile("buildkit"));
  const rootlesskit = buildkit.then(() => compile("rootlesskit"));
  const addons = rootlesskit.then(() => compile("addons"));
  const programs = { hyper, addons, pause, registry, buildkit, rootlesskit };
  const nodePackages = ensure(artifacts.nodePackages, "download and unpack packages for the nodes");
  const imagePackages = ensure(artifacts.imagePackages, "download and unpack packages for the images");
  const images: Partial<Record<ImageName, Promise<string>>> = {};
  for (const name of imageNames) {
    const baseName = imageRecipes[name].base;
    const needed = [
      imagePackages,
      ...programsOfImage[name].map((used) => programs[used]),
      ...(baseName ? [Promise.resolve(images[baseName])] : []),
    ];
    images[name] = Promise.all(needed).then(() =>
      ensure(artifacts.images[name], `make image ${imageRecipes[name].repository}`),
    );
  }
  // Whoever needs one of them awaits it and sees its failure; the others must not end the process.
  for (const promise of [...Object.values(programs), nodePackages, imagePackages, ...Object.values(images)])
    promise.catch(() => undefined);
  return {
    program: (name) => programs[name],
    nodePackages: () => nodePackages,
    image: (name) => images[name] ?? Promise.reject(new Error(`No image ${name}.`)),
  };
}
