import type { Deployment } from "@slipway/cluster";
import { BuilderError } from "@slipway/core";

import { builderLabels } from "./workload.ts";

/**
 * A Deployment of the same name that somebody else made is not ours to change, nor to delete.
 *
 * @throws BuilderError INVALID_OPTIONS
 */
export function checkOwner(existing: Deployment, name: string, namespace: string): void {
  const labels = existing.metadata?.labels ?? {};
  if (Object.entries(builderLabels(name)).every(([key, value]) => labels[key] === value)) return;
  const message = `Deployment ${namespace}/${name} is not a Slipway builder. Choose another name or namespace.`;
  throw new BuilderError({ code: "INVALID_OPTIONS", message, details: { issues: [{ path: "name", message }] } });
}
