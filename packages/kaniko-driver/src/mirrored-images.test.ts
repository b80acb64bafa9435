import { expect, test } from "vitest";

import { mirroredImages } from "./mirrored-images.ts";

const images = ["docker.io/library/alpine:3", "gcr.io/distroless/static:1"];

test.each<[string, readonly string[], readonly string[], readonly string[]]>([
  ["no mirror", [], ["--push-retry=2"], []],
  ["a mirror with a path", ["m.example.com:5000/hub/"], [], ["m.example.com:5000/hub/library/alpine:3"]],
  ["a map of Docker Hub", [], ["--registry-map=index.docker.io=m"], ["m/library/alpine:3"]],
  ["maps of others", [], ["--registry-map=gcr.io=m/g;quay.io=n", "--registry-map=gcr.io=o"], ["m/g", "o"]],
])("kaniko asks %s, as far as it has the registry of an image", (_what, registryMirrors, flags, expected) => {
  const found = mirroredImages(images, { registryMirrors, flags });
  expect(found).toEqual(expected.map((name) => (name.includes(":3") ? name : `${name}/distroless/static:1`)));
});
