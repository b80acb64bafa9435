import { invalidCredentials } from "../invalid-credentials.ts";

/** Loads a package that may not be installed; for tests to replace. */
export type LoadModule = (name: string) => Promise<unknown>;

/** Loads by name, so that no bundler wants the package. */
export const importModule: LoadModule = (name) => import(name);

/**
 * Loads a package that only some need.
 *
 * @throws `INVALID_OPTIONS` that says what to install.
 */
export async function loadOptional<Module>(name: string, source: string, load: LoadModule): Promise<Module> {
  try {
    return (await load(name)) as Module;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    // A package that is here may miss one that it needs itself.
    const missing = code === "ERR_MODULE_NOT_FOUND" && messageOf(error).includes(`'${name}'`);
    const message = missing
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
