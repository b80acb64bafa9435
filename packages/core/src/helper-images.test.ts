import { describe, expect, it } from "vitest";

import { helperImage, helperImagesSchema } from "./helper-images.ts";
import { validateOptions } from "./parse-options.ts";

const busybox = "docker.io/library/busybox:1.37";

describe("images of helpers", () => {
  it.each([
    [{}, busybox],
    [{ helper: "registry.example.com/tools:1" }, "registry.example.com/tools:1"],
    [{ registry: "mirror.example.com:5000/hub" }, "mirror.example.com:5000/hub/library/busybox:1.37"],
    [{ registry: "mirror.example.com", helper: "registry.example.com/tools:1" }, "registry.example.com/tools:1"],
    [{ kaniko: "registry.example.com/executor:v1.24.0" }, busybox],
  ])("%j: %s", (images, expected) => {
    expect(helperImage(images, "helper", busybox)).toBe(expected);
  });

  it("take a registry without a scheme", () => {
    const { issues } = validateOptions(helperImagesSchema, { registry: "https://mirror.example.com" });
    expect(issues).toMatchObject([
      { path: "registry", message: expect.stringContaining("without a scheme") as string },
    ]);
  });

  it("name what was meant", () => {
    const { issues } = validateOptions(helperImagesSchema, { helpr: busybox });
    expect(issues?.[0]?.message).toContain('"helper"');
  });
});
