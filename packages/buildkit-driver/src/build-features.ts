import type { Feature } from "@slipway/core";

/** What of `BuildOptions` this driver can do beyond the Dockerfile build that every driver does. */
export const buildkitFeatures = [
  "contexts",
  "secrets",
  "network",
  "addHosts",
  "shmSizeBytes",
  "ulimits",
  "noCache:stages",
  "skipIfPresent",
  "context:git",
  "context:http",
  "context:image",
  "outputs:oci",
  "outputs:docker",
  "outputs:tar",
  "outputs:local",
  "outputs:cache-only",
  "cacheFrom:registry",
  "cacheFrom:inline",
  "cacheTo:registry",
  "cacheTo:inline",
] as const satisfies readonly Feature[];
