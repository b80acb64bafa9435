import { invalidOptions } from "@slipway/core";

/** The error for a source of credentials that cannot be used. */
export function invalidCredentials(source: string, message: string): Error {
  return invalidOptions("credentials", [{ path: source, message }]);
}
