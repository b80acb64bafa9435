import type { ResolvedBuildOptions } from "./build-options.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";
import type { Output } from "./output.ts";

/** What not every driver can, named after the option that asks for it. */
export type Feature =
  | "contexts"
  | "annotations"
  | "secrets"
  | "ssh"
  | "network"
  | "addHosts"
  | "shmSizeBytes"
  | "ulimits"
  | "provenance"
  | "sbom"
  | "skipIfPresent"
  | "platforms:many"
  | "noCache:stages"
  | `context:${Exclude<Context["type"], "directory">}`
  | `outputs:${Exclude<Output["type"], "push">}`
  | `cacheFrom:${Cache["type"]}`
  | `cacheTo:${Cache["type"]}`;

type Requirements = {
  readonly [Key in keyof ResolvedBuildOptions]-?: (value: ResolvedBuildOptions[Key]) => readonly Feature[];
};

const nothing = (): readonly Feature[] => [];
const whenUsed = (feature: Feature) => (value: object) => (Object.keys(value).length > 0 ? [feature] : []);
const ofContext = (context: Context): readonly Feature[] =>
  context.type === "directory" ? [] : [`context:${context.type}`];

/** For every option, what its value asks for. A new option does not compile before it is here, so no driver ignores it. */
export const requiredFeatures: Requirements = {
  name: nothing,
  context: ofContext,
  contexts: (contexts) => [...whenUsed("contexts")(contexts), ...Object.values(contexts).flatMap(ofContext)],
  dockerfile: nothing,
  dockerfileInline: nothing,
  target: nothing,
  buildArgs: nothing,
  labels: nothing,
  annotations: whenUsed("annotations"),
  tags: nothing,
  platforms: (platforms) => (platforms.length > 1 ? ["platforms:many"] : []),
  secrets: whenUsed("secrets"),
  ssh: whenUsed("ssh"),
  cacheFrom: (caches) => caches.map((cache) => `cacheFrom:${cache.type}` as const),
  cacheTo: (caches) => caches.map((cache) => `cacheTo:${cache.type}` as const),
  noCache: (stages) => (typeof stages === "object" && stages.length > 0 ? ["noCache:stages"] : []),
  pull: nothing,
  outputs: (outputs) =>
    outputs.flatMap((output) => (output.type === "push" ? [] : [`outputs:${output.type}` as const])),
  preflight: nothing,
  createRepository: nothing,
  supersedes: nothing,
  skipIfPresent: (skip) => (skip ? ["skipIfPresent"] : []),
  network: (network) => (network === "default" ? [] : ["network"]),
  addHosts: whenUsed("addHosts"),
  shmSizeBytes: (size) => (size === undefined ? [] : ["shmSizeBytes"]),
  ulimits: whenUsed("ulimits"),
  provenance: (provenance) => (provenance === false ? [] : ["provenance"]),
  sbom: (sbom) => (sbom === false ? [] : ["sbom"]),
};

/** What a build asks for and a driver does not declare, each once. */
export function missingFeatures(options: ResolvedBuildOptions, declared: readonly Feature[]): readonly Feature[] {
  const asked = Object.entries(requiredFeatures).flatMap(([key, required]) =>
    // Each function takes the value of its own key, which a loop over keys cannot express.
    (required as (value: unknown) => readonly Feature[])(options[key as keyof ResolvedBuildOptions]),
  );
  return [...new Set(asked)].filter((feature) => !declared.includes(feature));
}
