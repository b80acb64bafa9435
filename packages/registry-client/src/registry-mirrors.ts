import { isDigest } from "./image-reference.ts";
import { computeDigest, parseManifestJson } from "./manifest.ts";
import { maxManifestBytes } from "./manifest-requests.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { ClientRequest, RegistryRequests } from "./request-context.ts";
import { discardBody, readBody, withBody } from "./response-body.ts";

/** A registry that has copies, with the folder there that holds them. */
export interface Mirror {
  readonly requests: RegistryRequests;
  /** `dockerhub/`, or nothing. */
  readonly prefix: string;
}

/** A mirror that is asked in vain costs little time. */
const mirrorTimeoutMs = 8_000;

/** The same requests, except that manifests and blobs are read from mirrors where these have them. */
export function withMirrors(requests: RegistryRequests, mirrors: readonly Mirror[]): RegistryRequests {
  if (mirrors.length === 0) return requests;
  const send = async (request: ClientRequest): Promise<RegistryResponse> =>
    (await fromMirrors(requests, mirrors, request)) ?? (await requests.send(request));
  return { ...requests, send };
}

async function fromMirrors(
  requests: RegistryRequests,
  mirrors: readonly Mirror[],
  request: ClientRequest,
): Promise<RegistryResponse | undefined> {
  const { method, url, repository, signal, direct = false } = request;
  const isRead = (method === "GET" || method === "HEAD") && typeof url === "string" && repository !== undefined;
  if (direct || !isRead) return undefined;
  const [, kind, name = ""] = /\/(manifests|blobs)\/([^/]+)$/.exec(url) ?? [];
  if (kind === undefined) return undefined;
  for (const { requests: mirror, prefix } of mirrors) {
    // A mirror of several registries learns from `ns` which one is meant.
    const mirrored = `${prefix}${url}?${new URLSearchParams({ ns: requests.registry }).toString()}`;
    const place = { url: mirrored, repository: prefix + repository };
    // Waiting for others counts as well: a mirror is there to save time.
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), mirrorTimeoutMs);
    try {
      const asked = {
        ...request,
        ...place,
        signal: AbortSignal.any([signal, late.signal]),
        timeoutMs: mirrorTimeoutMs,
      };
      const response = await mirror.send(asked).finally(() => clearTimeout(timer));
      if (response.ok) return kind === "manifests" ? await checkedManifest(response, method, name) : response;
      await discardBody(response);
    } catch (error) {
      if (signal.aborted) throw error;
      const said = error instanceof Error ? error.message : String(error);
      const reason = late.signal.aborted ? `no answer within ${mirrorTimeoutMs / 1000} s` : said;
      requests.warn(`the mirror ${mirror.registry} was left out: ${reason}`);
    }
  }
  return undefined;
}

/** What stands before a mirror may answer for it, and a mirror may have something else. @throws if it is no manifest, or not the one that was asked for */
async function checkedManifest(
  response: RegistryResponse,
  method: ClientRequest["method"],
  name: string,
): Promise<RegistryResponse> {
  const stated = response.headers.get("docker-content-digest") ?? "";
  const expected = [name, stated].find(isDigest);
  const requireDigest = (actual: string): void => {
    if (expected !== undefined && actual !== expected) throw new Error(`it serves ${actual} as ${expected}`);
  };
  if (method === "HEAD") {
    if (isDigest(stated)) requireDigest(stated);
    return response;
  }
  const bytes = await readBody(response, maxManifestBytes);
  if (parseManifestJson(bytes) === undefined) throw new Error("it serves no manifest");
  requireDigest(computeDigest(bytes, expected?.split(":")[0]));
  return withBody(response, bytes);
}
