import type { RegistryRequests } from "./request-context.ts";
import { discardBody } from "./response-body.ts";

/** The digest of nothing, which every registry takes. */
export const emptyBlob = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** An upload that is to be forgotten. */
export interface DroppedUpload {
  /** Where it goes on. */
  readonly url: URL;
  readonly repository: string;
  readonly purpose: string;
  /** Of the bytes that the registry has, if it is known. */
  readonly digest: string | undefined;
  readonly signal: AbortSignal;
}

/**
 * Ends an upload; never throws. Some registries count this as deletion, which not everybody may who may push: there the upload is finished as the
 * blob that its bytes are so far. No image names that, so that it goes with the next garbage collection; where nothing was sent it is the empty
 * blob, of which a repository has one at most. Another digest would not end it: distribution 2.8 and 3 refuse that and keep the upload open.
 */
export async function dropUpload(requests: RegistryRequests, { url, digest, ...access }: DroppedUpload): Promise<void> {
  const actions = ["pull", "push", "delete"] as const;
  const dropped = await requests.send({ method: "DELETE", url, ...access, actions }).catch(() => undefined);
  if (dropped !== undefined) await discardBody(dropped);
  // One that the registry does not know any more is as good as dropped.
  if (dropped?.ok === true || dropped?.status === 404 || digest === undefined) return;
  const finishing = new URL(url);
  finishing.searchParams.set("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  const finish = { method: "PUT", url: finishing, headers, body: new Uint8Array(), ...access } as const;
  await requests.send({ ...finish, actions: ["pull", "push"] }).then(discardBody, () => undefined);
}
