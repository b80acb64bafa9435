import type * as Https from "node:https";
import type * as Tls from "node:tls";

/**
 * `node:http`. Imported as an ES module its every export is read, and one of them loads all of `fetch`: 28 ms of CPU in each process that
 * never fetches anything.
 */
export const http = process.getBuiltinModule("node:http");

/** `node:https`, loaded with the first use. */
export function https(): typeof Https {
  return process.getBuiltinModule("node:https");
}

/** `node:tls`, loaded with the first use. */
export function tls(): typeof Tls {
  return process.getBuiltinModule("node:tls");
}
