import { buildOptionsSchema, type BuildOptions } from "@slipway/core";
import { expect, it } from "vitest";

import { frontendAttributes } from "./frontend-attributes.ts";

it.each<[Partial<BuildOptions>, Record<string, string>]>([
  [{}, { filename: "Dockerfile" }],
  [{ dockerfile: "docker/api.Dockerfile" }, { filename: "api.Dockerfile" }],
  [{ target: "production" }, { target: "production" }],
  [{ buildArgs: { VERSION: "1" } }, { "build-arg:VERSION": "1" }],
  [{ labels: { "a.b": "c" } }, { "label:a.b": "c" }],
  [{ platforms: ["linux/amd64"] }, { platform: "linux/amd64" }],
  [{ noCache: true }, { "no-cache": "" }],
  [{ noCache: ["base", "build"] }, { "no-cache": "base,build" }],
  [{ pull: true }, { "image-resolve-mode": "pull" }],
  [{ network: "none" }, { "force-network-mode": "none" }],
  [{ addHosts: { db: "10.0.0.1", cache: "10.0.0.2" } }, { "add-hosts": "db=10.0.0.1,cache=10.0.0.2" }],
  [{ shmSizeBytes: 1024 }, { "shm-size": "1024" }],
  [{ ulimits: { nofile: { soft: 1, hard: 2 } } }, { ulimit: "nofile=1:2" }],
  [{ contexts: { lib: "./lib" } }, { "context:lib": "local:context-lib" }],
  [{ contexts: { base: "docker-image://busybox" } }, { "context:base": "docker-image://busybox" }],
  [{ cacheFrom: ["r.example.com/c"] }, { "cache-imports": '[{"Type":"registry","Attrs":{"ref":"r.example.com/c"}}]' }],
  [
    { context: { type: "git", url: "https://h/r.git", ref: "v1", subdirectory: "api" } },
    { context: "https://h/r.git#v1:api" },
  ],
])("%j", (options, expected) => {
  const resolved = buildOptionsSchema.parse({ context: ".", tags: ["r.example.com/a:1"], ...options });
  expect(frontendAttributes(resolved)).toEqual({ filename: "Dockerfile", ...expected });
});
