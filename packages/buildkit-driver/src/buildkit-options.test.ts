import { describe, expect, it } from "vitest";

import { resolveBuildkitDriverOptions } from "./buildkit-options.ts";

describe("the image of buildkitd", () => {
  it.each([
    [{}, /^docker\.io\/moby\/buildkit:v[\d.]+$/],
    [{ rootless: true }, /^docker\.io\/moby\/buildkit:v[\d.]+-rootless$/],
    [{ images: { registry: "mirror.example.com/hub" } }, /^mirror\.example\.com\/hub\/moby\/buildkit:v[\d.]+$/],
    [{ images: { buildkit: "r.example.com/b:1", kaniko: "r.example.com/k:1" } }, /^r\.example\.com\/b:1$/],
    [{ rootless: true, images: { buildkit: "r.example.com/b:1", buildkitRootless: "r.example.com/u:1" } }, /u:1$/],
    [{ image: "r.example.com/own:1", images: { buildkit: "r.example.com/b:1" } }, /^r\.example\.com\/own:1$/],
  ])("%j: %s", (options, image) => {
    expect(resolveBuildkitDriverOptions(options).image).toMatch(image);
  });
});
