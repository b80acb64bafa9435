import { BuilderError } from "@slipway/core";

import type { RegistryResponse } from "./registry-transport.ts";
import type { ClientRequest, RegistryRequests } from "./request-context.ts";
import { discardBody } from "./response-body.ts";

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
  if (direct || !isRead || !/\/(manifests|blobs)\/[^/]+$/.test(url)) return undefined;
  for (const { requests: mirror, prefix } of mirrors) {
    // A mirror of several registries learns from `ns` which one is meant.
    const mirrored = `${prefix}${url}?${new URLSearchParams({ ns: requests.registry }).toString()}`;
    const place = { url: mirrored, repository: prefix + repository };
    try {
      const response = await mirror.send({ ...request, ...place, timeoutMs: mirrorTimeoutMs });
      if (response.ok) return response;
      await discardBody(response);
    } catch (error) {
      if (signal.aborted) throw error;
      const reason = BuilderError.isInstance(error) ? error.message : String(error);
      requests.warn(`the mirror ${mirror.registry} was left out: ${reason}`);
    }
  }
  return undefined;
}
