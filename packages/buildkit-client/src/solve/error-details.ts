/** What BuildKit attaches to the error of a build. */
export interface ErrorDetails {
  /** Digest of the vertex that failed. */
  readonly vertex?: string;
  /** Exit code of a `RUN`. */
  readonly exitCode?: number;
  /** Where in the Dockerfile; the line counts from 1. */
  readonly location?: { readonly file: string; readonly line: number };
}

type Detail = { readonly typeUrl: string; readonly value: Uint8Array };

/**
 * Reads the details of a status. Their values are JSON under type names of their own (`github.com/moby/buildkit/errdefs.Source+json`),
 * and absent keys mean zero. Of nested frontends the innermost source comes last: it is the user's file.
 */
export function readErrorDetails(details: readonly Detail[]): ErrorDetails {
  const read: { vertex?: string; exitCode?: number; location?: { file: string; line: number } } = {};
  for (const { typeUrl, value } of details) {
    const type = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
    const json = parseObject(value);
    if (type === "errdefs.Vertex+json" && typeof json["digest"] === "string") read.vertex = json["digest"];
    else if (type === "gatewayapi.ExitMessage+json") read.exitCode = Number(json["Code"] ?? 0);
    else if (type === "errdefs.Source+json") {
      const location = sourceLocation(json);
      if (location) read.location = location;
    }
  }
  return read;
}

function parseObject(value: Uint8Array): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(value).toString());
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

interface SourceDetail {
  readonly info?: { readonly filename?: string };
  readonly ranges?: readonly { readonly start?: { readonly line?: number } }[];
}

function sourceLocation(json: SourceDetail): { file: string; line: number } | undefined {
  const file = json.info?.filename;
  const line = json.ranges?.[0]?.start?.line;
  return file === undefined || line === undefined ? undefined : { file, line };
}
