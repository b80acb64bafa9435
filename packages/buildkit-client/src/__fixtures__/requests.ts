import type { SolveRequest } from "../solve/solve-request.ts";

/** A request that builds the Dockerfile of a folder, and changes to it. */
export function buildOf(path: string, changes: Partial<SolveRequest> = {}): SolveRequest {
  return {
    frontend: "dockerfile.v0",
    frontendAttributes: {},
    exporters: [],
    session: {
      sharedKey: path,
      localDirectories: { context: path, dockerfile: path },
      credentials: () => Promise.resolve(undefined),
    },
    ...changes,
  };
}
