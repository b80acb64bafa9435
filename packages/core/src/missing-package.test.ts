import { expect, test } from "vitest";

import { isMissingPackage } from "./missing-package.ts";

const name = "@aws-sdk/client-ecr";
const inside = `/app/node_modules/${name}/dist-es/index.js`;

test.each([
  ["Node", `Cannot find package '${name}' imported from /app/index.js`, "ERR_MODULE_NOT_FOUND"],
  ["CommonJS", `Cannot find module '${name}'\nRequire stack:\n- /app/index.js`, "MODULE_NOT_FOUND"],
  ["webpack", `Cannot find module '${name}'`, "MODULE_NOT_FOUND"],
  ["Bun", `Cannot find package '${name}' from '/app/index.ts'`, undefined],
  ["Deno", `Relative import path "${name}" not prefixed with / or ./ or ../`, undefined],
  ["Deno with a package.json", `Import "${name}" not a dependency`, undefined],
  ["esbuild", `Could not resolve "${name}"`, undefined],
  ["Vite", `Failed to resolve import "${name}" from "src/index.ts". Does the file exist?`, undefined],
  ["Vitest", `Failed to load url ${name} (resolved id: ${name}) in /app/index.ts. Does the file exist?`, undefined],
  [
    "Yarn",
    `Your application tried to access ${name}, but it isn't declared in your dependencies\n\nRequired package: ${name}`,
    "MODULE_NOT_FOUND",
  ],
])("is what %s says of a package that is not installed", (_loader, message, code) => {
  expect(isMissingPackage({ message, code }, name)).toBe(true);
  expect(isMissingPackage({ message: message.replaceAll(name, "@smithy/core"), code }, name)).toBe(false);
});

test.each([
  ["Node", `Cannot find package '@smithy/core' imported from ${inside}`, "ERR_MODULE_NOT_FOUND"],
  ["CommonJS", `Cannot find module '@smithy/core'\nRequire stack:\n- ${inside}`, "MODULE_NOT_FOUND"],
  ["Node of its main file", `Cannot find module '${inside}' imported from /app/index.js`, "ERR_MODULE_NOT_FOUND"],
  [
    "Vitest",
    `Failed to load url @smithy/core (resolved id: @smithy/core) in ${inside}. Does the file exist?`,
    undefined,
  ],
  [
    "Yarn",
    `${name} tried to access @smithy/core, but it isn't declared in its dependencies\n\nRequired by: ${name}@npm:3.0.0`,
    "MODULE_NOT_FOUND",
  ],
  ["the package itself", `${name} needs a newer Node`, undefined],
  [
    "another package with a longer name",
    `Cannot find package '${name}-public' imported from x`,
    "ERR_MODULE_NOT_FOUND",
  ],
])("is not what %s says of something else", (_loader, message, code) => {
  expect(isMissingPackage(Object.assign(new Error(message), { code }), name)).toBe(false);
});

test.each([undefined, null, "Cannot find package", {}])("is not %j", (thrown) => {
  expect(isMissingPackage(thrown, name)).toBe(false);
});

test("is what this very loader says", async () => {
  const absent = "slipway-is-not-installed";
  const thrown: unknown = await import(/* @vite-ignore */ absent).catch((error: unknown) => error);
  expect(isMissingPackage(thrown, absent)).toBe(true);
});
