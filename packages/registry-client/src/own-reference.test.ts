import { expect, it } from "vitest";

import { ownReference } from "./own-reference.ts";

const registry = "registry.example.com";
const digest = `sha256:${"a".repeat(64)}`;

it.each([
  ["its text", `${registry}/team/api:v1`, { registry, repository: "team/api", tag: "v1" }],
  ["its parts", { registry, repository: "team/api", digest }, { registry, repository: "team/api", digest }],
  [
    "parts that were left undefined",
    { registry, repository: "team/api", tag: undefined },
    { registry, repository: "team/api" },
  ],
])("an image is named by %s", (_what, named, reference) => {
  expect(ownReference(registry, named)).toEqual(reference);
});

it.each([
  ["of cosign, for a digest of sha512", { tag: `sha512-${"a".repeat(128)}.sig` }],
  ["made of a subject that is no digest", { tag: "sha256+b64u-AAAA" }],
  ["of an algorithm that is not known here", { digest: "blake3:aaaa" }],
])("a name %s is left to the registry", (_what, parts) => {
  const reference = { registry, repository: "team/api", ...parts };
  expect(ownReference(registry, reference)).toEqual(reference);
});

it("a registry may have a name that no text can have", () => {
  const reference = { registry: "my_registry:5000", repository: "app" };
  expect(ownReference("my_registry:5000", reference)).toEqual(reference);
});

it.each([
  [undefined, "Must name an image"],
  [null, "Must name an image"],
  [7, "Must name an image"],
  [{ registry }, "Must name an image"],
  [{ registry, repository: "app", tag: 1 }, "Must name an image"],
  [{ registry, repository: "../v2/_catalog" }, '"../v2/_catalog" is no repository'],
  [{ registry, repository: "app", tag: "../../other/manifests/v1" }, '"../../other/manifests/v1" is no tag'],
  [{ registry, repository: "app", tag: ".." }, '".." is no tag'],
  [{ registry, repository: "app", tag: "v1?x=" }, '"v1?x=" is no tag'],
  [{ registry, repository: "app", digest: "sha256:../blobs" }, '"sha256:../blobs" is no digest'],
  [{ registry: "ghcr.io", repository: "app" }, "ghcr.io/app is not an image of registry.example.com"],
  ["ghcr.io/app", "ghcr.io/app is not an image of registry.example.com"],
])("%j is refused", (named, message) => {
  expect(() => ownReference(registry, named)).toThrow(`Invalid options for the registry client: reference: ${message}`);
});

it.each(["ann:hunter2@ghcr.io", "ann:x/hunter2@ghcr.io", "ann:x/hunter2@ghcr"])(
  "the password of a user before the registry of %s is not repeated",
  (host) => {
    const named = { registry: host, repository: "app" };
    expect(() => ownReference(registry, named)).toThrow(/^(?!.*hunter2).*Names a user; leave that out/);
  },
);

it.each([
  [{ repository: "ann:x/hunter2@ghcr.io/app" }, "Names a user; leave that out"],
  [{ repository: "app", tag: "ann:x/hunter2@ghcr.io/app" }, '"ghcr.io/app" is no tag'],
  [{ repository: "app", digest: "ann:hunter2@ghcr.io" }, '"ghcr.io" is no digest'],
])("the password in %j is not repeated", (named, message) => {
  const ask = (): unknown => ownReference(registry, { registry, ...named });
  expect(ask).toThrow(/^(?!.*hunter2)/);
  expect(ask).toThrow(message);
});
