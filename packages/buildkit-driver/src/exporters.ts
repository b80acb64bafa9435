import type { Exporter } from "@slipway/buildkit-client";
import { unpackArchive } from "@slipway/context-sync";
import type { ArchiveSink, Output, ResolvedBuildOptions } from "@slipway/core";

import { withoutTag } from "./pushed-references.ts";

/** What BuildKit makes of the result. */
export function exporters(options: Pick<ResolvedBuildOptions, "outputs" | "tags">): readonly Exporter[] {
  return options.outputs.flatMap((output) => exporter(output, options.tags));
}

function exporter(output: Output, tags: readonly string[]): readonly Exporter[] {
  switch (output.type) {
    case "push":
      return [{ type: "image", attributes: pushAttributes(tags, output.byDigest === true) }];
    case "oci":
    case "docker":
      return [
        { type: output.type, attributes: tags.length === 0 ? {} : { name: tags.join(",") }, sink: output.destination },
      ];
    case "tar":
      return [{ type: "tar", attributes: {}, sink: output.destination }];
    case "local":
      return [{ type: "tar", attributes: {}, sink: intoFolder(output.directory) }];
    default:
      return [];
  }
}

/** The archive has the same files as BuildKit's exporter of that name, and unpacking it here decides what of them may be written. */
function intoFolder(directory: string): ArchiveSink {
  return async (archive, { signal }) => await unpackArchive(archive, directory, { signal });
}

function pushAttributes(tags: readonly string[], byDigest: boolean): Record<string, string> {
  if (!byDigest) return { name: tags.join(","), push: "true" };
  const repositories = [...new Set(tags.map(withoutTag))];
  return { name: repositories.join(","), push: "true", "push-by-digest": "true" };
}
