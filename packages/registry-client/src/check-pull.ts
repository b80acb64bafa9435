import type { AccessCheck } from "./access-check.ts";
import { accessCheck } from "./access-check.ts";
import { formatImageReference, type ImageReference } from "./image-reference.ts";
import { manifestMediaTypes } from "./media-types.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import type { RegistryRequests } from "./request-context.ts";
import { discardBody } from "./response-body.ts";

/** Asks for the image without fetching it. Resolves with undefined if the registry does not have it. */
export async function checkPull(
  requests: RegistryRequests,
  image: ImageReference,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<AccessCheck | undefined> {
  const { repository, tag = "latest", digest } = image;
  const purpose = `pull ${formatImageReference(image)}`;
  const { response, ...check } = await requests.sendAs({
    ...{ method: "HEAD", url: `${repository}/manifests/${digest ?? tag}`, repository, actions: ["pull"] },
    ...{ headers: { accept: manifestMediaTypes.join(", ") }, purpose, signal },
  });
  if (!response.ok && response.status !== 404) throw await requests.fail(purpose, response);
  await discardBody(response);
  return response.ok ? accessCheck(check) : undefined;
}
