import { isMissingPackage } from "@slipway/core";

import { invalidCredentials } from "../invalid-credentials.ts";

/** Loads a package that may not be installed; for tests to replace. */
export type LoadModule = (name: string) => Promise<unknown>;

/** Loads by name, so that no bundler wants the package, and none puts an import in its place that always fails. */
export const importModule: LoadModule = (name) => import(/* webpackIgnore: true */ /* @vite-ignore */ name);

/**
 * Loads a package that only some need.
 *
 * @throws `INVALID_OPTIONS` that says what to install.
 */
export async function loadOptional<Module>(name: string, source: string, load: LoadModule): Promise<Module> {
  try {
    return (await load(name)) as Module;
  } catch (error) {
    const message = isMissingPackage(error, name)
      ? `The credentials of ${source} need the package ${name}. Install it: npm install ${name}`
      : `The package ${name}, which the credentials of ${source} need, cannot be loaded: ${messageOf(error)}`;
    throw invalidCredentials(source, message);
  }
}

/** What went wrong at a cloud, in its own words. */
export function cloudFailure(source: string, error: unknown): Error {
  return invalidCredentials(
    source,
    `${source} gave no credentials: ${messageOf(error)}. Log in there, or check its settings`,
  );
}

/** Some loaders throw what has a message and is no `Error`. */
function messageOf(error: unknown): string {
  return typeof error === "object" && error !== null && "message" in error ? String(error.message) : String(error);
}
