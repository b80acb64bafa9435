import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

import type { BuildSession, PreparedContext, SolveRequest } from "@slipway/buildkit-client";
import type { BuildRequest, Context } from "@slipway/core";

import { cacheExports, cacheImports } from "./cache-entries.ts";
import { exporters } from "./exporters.ts";
import { frontendAttributes, localName } from "./frontend-attributes.ts";
import { sharedKey } from "./shared-key.ts";

/** With what a build's session answers for registries, when it may begin, and what the daemon has of its files. */
export type SessionAuthorization = Pick<BuildSession, "credentials" | "tokens" | "allowed" | "received">;

/** A build in BuildKit's terms. */
export function solveRequest(
  request: BuildRequest,
  host: string,
  authorization: SessionAuthorization,
  context?: PreparedContext,
): SolveRequest {
  return {
    // Not the id alone: the daemon knows a build that ended for ten seconds more, and refuses another attempt of that name.
    ref: `${request.id}.${randomBytes(4).toString("hex")}`,
    frontend: "dockerfile.v0",
    frontendAttributes: frontendAttributes(request),
    exporters: exporters(request),
    cacheImports: cacheImports(request.cacheFrom),
    cacheExports: cacheExports(request.cacheTo),
    entitlements: request.network === "host" ? ["network.host"] : [],
    session: {
      sharedKey: sharedKey(request.context, host),
      localDirectories: { ...localDirectories(request), ...(context && { context }) },
      ...authorization,
      secrets: async (id) => request.secrets[id]?.(),
    },
  };
}

function localDirectories(request: BuildRequest): BuildSession["localDirectories"] {
  const { context, contexts, dockerfile, dockerfileInline } = request;
  const inline = dockerfileInline === undefined ? undefined : { Dockerfile: dockerfileInline };
  return {
    ...(context.type === "directory"
      ? { context: context.path, dockerfile: dirname(join(context.path, dockerfile)) }
      : {}),
    ...(inline === undefined ? {} : { dockerfile: inline }),
    ...Object.fromEntries(Object.entries(contexts).flatMap(([name, further]) => folder(localName(name), further))),
  };
}

function folder(name: string, context: Context): [string, string][] {
  return context.type === "directory" ? [[name, context.path]] : [];
}
