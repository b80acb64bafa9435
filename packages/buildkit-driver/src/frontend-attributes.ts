import { basename } from "node:path";

import { BuilderError, type Context, type ResolvedBuildOptions } from "@slipway/core";

import { cacheImports } from "./cache-entries.ts";

/** Attributes of the Dockerfile frontend, under the names that BuildKit documents. */
export function frontendAttributes(options: ResolvedBuildOptions): Readonly<Record<string, string>> {
  return {
    filename: options.dockerfileInline === undefined ? basename(options.dockerfile) : "Dockerfile",
    ...prefixed("build-arg:", options.buildArgs),
    ...prefixed("label:", options.labels),
    ...(options.target === undefined ? {} : { target: options.target }),
    ...(options.platforms.length === 0 ? {} : { platform: options.platforms.join(",") }),
    ...noCache(options.noCache),
    ...(options.pull ? { "image-resolve-mode": "pull" } : {}),
    ...(options.network === "default" ? {} : { "force-network-mode": options.network }),
    ...list(
      "add-hosts",
      Object.entries(options.addHosts).map(([host, address]) => `${host}=${address}`),
    ),
    ...(options.shmSizeBytes === undefined ? {} : { "shm-size": String(options.shmSizeBytes) }),
    ...list(
      "ulimit",
      Object.entries(options.ulimits).map(([name, { soft, hard }]) => `${name}=${soft}:${hard}`),
    ),
    ...mainContext(options.context),
    ...namedContexts(options.contexts),
    ...cacheImportAttribute(options),
  };
}

/** The name under which a further context that is a folder is offered to the daemon. */
export function localName(contextName: string): string {
  return `context-${contextName}`;
}

function noCache(stages: boolean | readonly string[]): Record<string, string> {
  if (typeof stages === "boolean") return stages ? { "no-cache": "" } : {};
  return stages.length === 0 ? {} : { "no-cache": stages.join(",") };
}

function mainContext(context: Context): Record<string, string> {
  switch (context.type) {
    case "directory":
      return {};
    case "git":
      return { context: gitAddress(context) };
    case "http":
      return { context: context.url };
    default:
      throw unsupported(context);
  }
}

function namedContexts(contexts: Readonly<Record<string, Context>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, context]) => [`context:${name}`, source(name, context)]),
  );
}

function source(name: string, context: Context): string {
  switch (context.type) {
    case "directory":
      return `local:${localName(name)}`;
    case "image":
      return `docker-image://${context.reference}`;
    case "git":
      return gitAddress(context);
    case "http":
      return context.url;
    default:
      throw unsupported(context);
  }
}

/** BuildKit takes the commit and the folder behind a `#`. */
function gitAddress({ url, ref, subdirectory }: Extract<Context, { type: "git" }>): string {
  const fragment = subdirectory === undefined ? (ref ?? "") : `${ref ?? ""}:${subdirectory}`;
  return fragment === "" ? url : `${url}#${fragment}`;
}

function cacheImportAttribute(options: ResolvedBuildOptions): Record<string, string> {
  const imports = cacheImports(options.cacheFrom);
  if (imports.length === 0) return {};
  // The solver reads CacheOptions, the frontend's own solves only this attribute.
  return {
    "cache-imports": JSON.stringify(imports.map(({ type, attributes }) => ({ Type: type, Attrs: attributes }))),
  };
}

function prefixed(prefix: string, values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value]));
}

function list(key: string, values: readonly string[]): Record<string, string> {
  return values.length === 0 ? {} : { [key]: values.join(",") };
}

function unsupported(context: Context): BuilderError {
  return new BuilderError({
    code: "UNSUPPORTED_FEATURE",
    message: `A context of type ${context.type} cannot stand here: a build needs a directory, git or http context.`,
    details: { features: context.type === "directory" ? [] : [`context:${context.type}`] },
  });
}
