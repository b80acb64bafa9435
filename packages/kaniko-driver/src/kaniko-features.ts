import type { Feature } from "@slipway/core";

/** What kaniko can beyond a plain Dockerfile build. */
export const features = [
  "platforms:many",
  "skipIfPresent",
  "context:git",
  "context:tar",
  "outputs:docker",
  "outputs:oci",
  "outputs:cache-only",
] as const satisfies readonly Feature[];

const ownCache = "kaniko keeps its cache in one repository, which the option kaniko.cache.repository names";
const noMounts = "kaniko reads RUN --mount and does not do it; additionalMounts has files for the whole build";
const ownPod = "Its steps run in the pod itself, whose network, hosts and limits are those of podTemplate";
const noManifests = "Its executor writes one manifest without anything attached to it";

/** Why kaniko cannot do the rest: a feature that is in neither list does not compile. */
export const limitations: Readonly<
  Record<Exclude<Feature, (typeof features)[number]> | "publish" | "ensurePullable", string>
> = {
  publish: "Its pods end with their builds; copyImage of slipway/registry copies images from where you are",
  ensurePullable: "Its pods end with their builds; ensurePullable of slipway/secrets does it without a builder",
  contexts: "kaniko has one context; a base image goes into FROM",
  annotations: noManifests,
  secrets: noMounts,
  ssh: noMounts,
  network: ownPod,
  addHosts: `${ownPod}: spec.hostAliases`,
  shmSizeBytes: `${ownPod}: an emptyDir in memory at /dev/shm`,
  ulimits: ownPod,
  provenance: noManifests,
  sbom: noManifests,
  "noCache:stages": "kaniko uses its cache for every stage or for none",
  "context:http": "Nothing is fetched from an address for it; fetch the archive, and give it as a tar",
  "context:image": "kaniko takes files from an image with COPY --from only",
  "context:oci-layout": "kaniko reads images from registries only",
  "outputs:tar": "kaniko writes images, not the files of one; docker and oci are archives of the image",
  "outputs:local": "kaniko writes images, not the files of one; docker and oci are archives of the image",
  "cacheFrom:registry": ownCache,
  "cacheFrom:inline": ownCache,
  "cacheFrom:local": ownCache,
  "cacheFrom:gha": ownCache,
  "cacheFrom:s3": ownCache,
  "cacheFrom:azblob": ownCache,
  "cacheTo:registry": ownCache,
  "cacheTo:inline": ownCache,
  "cacheTo:local": ownCache,
  "cacheTo:gha": ownCache,
  "cacheTo:s3": ownCache,
  "cacheTo:azblob": ownCache,
};
