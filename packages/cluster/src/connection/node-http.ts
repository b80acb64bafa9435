/**
 * `node:http`. Imported as an ES module its every export is read, and one of them loads all of `fetch`: 28 ms of CPU in each process that
 * never fetches anything.
 */
export const http = process.getBuiltinModule("node:http");
