import { expect, it } from "vitest";

import { renderBuildkitdFiles } from "./buildkitd-config.ts";

it("is empty without registries", () => {
  expect(renderBuildkitdFiles({})).toEqual({ "buildkitd.toml": "" });
});

it("writes each registry, sorted by host, and its authorities as files", () => {
  const ca = "-----BEGIN CERTIFICATE-----\n…";
  expect(
    renderBuildkitdFiles({
      "registry.b.svc:5000": { http: true },
      "registry.a": { ca, mirrors: ["mirror.a:5000"], insecure: true },
    }),
  ).toEqual({
    "buildkitd.toml": [
      '[registry."registry.a"]',
      "  insecure = true",
      '  mirrors = ["mirror.a:5000"]',
      '  ca = ["/etc/slipway/ca-0.pem"]',
      '[registry."registry.b.svc:5000"]',
      "  http = true",
      "",
    ].join("\n"),
    "ca-0.pem": ca,
  });
});

it("escapes what would end a string", () => {
  expect(renderBuildkitdFiles({ 'a"]\n[evil': {} })["buildkitd.toml"]).toBe('[registry."a\\"]\\n[evil"]\n');
});
