import type { ImageReference } from "./image-reference.ts";
import { formatImageReference } from "./image-reference.ts";
import { parseManifestJson } from "./manifest.ts";
import type { ManifestRequests } from "./manifest-requests.ts";
import { maxManifestBytes } from "./manifest-requests.ts";
import { ownReference } from "./own-reference.ts";
import { manifestMediaTypes, mediaTypeOf } from "./media-types.ts";
import { createPageTrail } from "./page-trail.ts";
import type { ReferrerDescriptor } from "./referrer.ts";
import { parseReferrers, referrersTag } from "./referrer.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import { bodyError, unusableAnswerError } from "./registry-error.ts";
import type { RegistryResponse } from "./registry-transport.ts";
import type { ClientRequest, RegistryRequests } from "./request-context.ts";
import { requireRepository } from "./request-names.ts";
import { discardBody, readBody } from "./response-body.ts";

/** What lists take. */
export interface ListOptions extends RegistryCall {
  /** How many names to ask for at a time; registries may give less. @defaultValue `100` for repositories, `1000` for tags */
  readonly pageSize?: number | undefined;
}

/** What `listReferrers` takes. */
export interface ListReferrersOptions extends RegistryCall {
  /** Only those of this type. @defaultValue all */
  readonly artifactType?: string | undefined;
  /** What is known of the repository, for whoever asks for many images of it. What is learned is noted there. */
  readonly known?: ReferrersKnowledge | undefined;
}

/** What spares requests for what refers to an image. */
export interface ReferrersKnowledge {
  /** All tags of the repository; a promise is waited for when they matter. */
  readonly tags?: ReadonlySet<string> | Promise<ReadonlySet<string> | undefined> | undefined;
  /** The registry has answered for an image of the repository that it keeps no list of referrers. */
  withoutList?: boolean;
}

/** What a registry has. */
export interface ListingRequests {
  /**
   * The tags of a repository, in the registry's order; none if it does not exist.
   *
   * @param repository - Its path within this registry: `team/api`.
   * @throws `REGISTRY_UNAUTHORIZED`, `REGISTRY_UNAVAILABLE`, `REGISTRY_REFUSED`, `INVALID_OPTIONS` for what is no path of a repository
   */
  listTags(repository: string, options?: ListOptions): AsyncIterable<string>;
  /** The repositories that one may see. Many registries have no such list: `REGISTRY_REFUSED`. Throws as {@link ListingRequests.listTags}. */
  listRepositories(options?: ListOptions): AsyncIterable<string>;
  /**
   * What refers to an image: signatures, SBOMs, attestations. From the registry's list, or the index under the referrers tag.
   * Throws as {@link ListingRequests.listTags}.
   *
   * @param reference - An image of this registry, by digest.
   */
  listReferrers(
    reference: ImageReference | string,
    options?: ListReferrersOptions,
  ): Promise<readonly ReferrerDescriptor[]>;
}

/** List requests on top of what sends requests. */
export function createListingRequests(
  requests: RegistryRequests,
  manifests: Pick<ManifestRequests, "getManifest">,
): ListingRequests {
  return {
    listTags: (repository, options) => listTags(requests, repository, options),
    listRepositories: (options) => listRepositories(requests, options),
    listReferrers: (reference, options) => listReferrers(requests, manifests, reference, options),
  };
}

async function* listTags(
  requests: RegistryRequests,
  repository: string,
  { pageSize = 1_000, signal = neverAborted() }: ListOptions = {},
): AsyncGenerator<string, void, undefined> {
  requireRepository(repository);
  const purpose = `list the tags of ${requests.registry}/${repository}`;
  const request = { method: "GET", repository, actions: ["pull"], purpose, signal } as const;
  const list = { request, path: `${repository}/tags/list`, key: "tags", pageSize } as const;
  for await (const names of readPages(requests, list)) yield* names ?? [];
}

async function* listRepositories(
  requests: RegistryRequests,
  { pageSize = 100, signal = neverAborted() }: ListOptions = {},
): AsyncGenerator<string, void, undefined> {
  const purpose = `list the repositories of ${requests.registry}`;
  const request = { method: "GET", scope: "registry:catalog:*", actions: ["pull"], purpose, signal } as const;
  const list = { request, path: "_catalog", key: "repositories", pageSize } as const;
  for await (const names of readPages(requests, list)) {
    if (names === undefined) throw catalogMissing(requests, purpose);
    yield* names;
  }
}

function catalogMissing({ registry }: RegistryRequests, purpose: string): Error {
  return unusableAnswerError({ registry, purpose, tried: [] }, 404, "it has no list of repositories");
}

interface NameList {
  readonly request: Omit<ClientRequest, "url">;
  readonly path: string;
  /** Where the names are in its answers. */
  readonly key: "tags" | "repositories";
  readonly pageSize: number;
}

/** The names in a list, page by page; `undefined` in place of the first page if there is no such list. */
async function* readPages(
  requests: RegistryRequests,
  { request, path, key, pageSize }: NameList,
): AsyncGenerator<readonly string[] | undefined, void, undefined> {
  const { purpose } = request;
  const trail = createPageTrail(requests.registry, purpose);
  const first = new URL(`${path}?n=${pageSize}`, requests.url);
  let url: URL | undefined = first;
  while (url !== undefined) {
    let response: RegistryResponse = await requests.send({ ...request, url });
    // More than the registry gives at a time is an error to some, where others just give less.
    if (response.status === 400 && url === first) {
      await discardBody(response);
      response = await requests.send({ ...request, url: path });
    }
    if (response.status === 404 && url === first) {
      await discardBody(response);
      return yield undefined;
    }
    if (!response.ok) throw await requests.fail(purpose, response);
    const names = namesIn(await readPage(requests, purpose, response), key);
    yield names;
    url = trail.next(response, url, names);
  }
}

/** distribution answers `null` for none. */
function namesIn(page: Uint8Array, key: NameList["key"]): readonly string[] {
  const names = parseManifestJson(page)?.[key];
  return Array.isArray(names) ? names.filter((name): name is string => typeof name === "string") : [];
}

async function readPage(
  { registry }: RegistryRequests,
  purpose: string,
  response: RegistryResponse,
): Promise<Uint8Array> {
  try {
    return await readBody(response, maxManifestBytes);
  } catch (error) {
    throw bodyError({ registry, purpose, tried: [] }, response.status, error);
  }
}

async function listReferrers(
  requests: RegistryRequests,
  manifests: Pick<ManifestRequests, "getManifest">,
  reference: ImageReference | string,
  { artifactType, known = {}, signal = neverAborted() }: ListReferrersOptions = {},
): Promise<readonly ReferrerDescriptor[]> {
  const {
    registry,
    repository,
    digest = await digestOf(manifests, reference, signal),
  } = ownReference(requests.registry, reference);
  if (digest === undefined) return [];
  const purpose = `list what refers to ${formatImageReference({ registry, repository, digest })}`;
  const fromApi =
    known.withoutList === true
      ? undefined
      : await referrersFromApi(requests, { repository, digest, artifactType, purpose, signal });
  // The first answer counts: a registry that keeps a list may not have all in it.
  known.withoutList ??= fromApi === undefined;
  const listed = fromApi ?? (await referrersFromTag(manifests, { registry, repository, digest }, known, signal));
  const unique = [...new Map(listed.map((referrer) => [referrer.digest, referrer])).values()];
  return artifactType === undefined ? unique : unique.filter((referrer) => referrer.artifactType === artifactType);
}

async function digestOf(
  manifests: Pick<ManifestRequests, "getManifest">,
  reference: ImageReference | string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await manifests.getManifest(reference, { signal }))?.digest;
}

interface ReferrersRequest {
  readonly repository: string;
  readonly digest: string;
  readonly artifactType: string | undefined;
  readonly purpose: string;
  readonly signal: AbortSignal;
}

/** `undefined` if the registry keeps no such list; one that does gives an empty one where there is nothing. */
async function referrersFromApi(
  requests: RegistryRequests,
  { repository, digest, artifactType, purpose, signal }: ReferrersRequest,
): Promise<ReferrerDescriptor[] | undefined> {
  const query = artifactType === undefined ? "" : `?${new URLSearchParams({ artifactType }).toString()}`;
  const trail = createPageTrail(requests.registry, purpose);
  const referrers: ReferrerDescriptor[] = [];
  const first = new URL(`${repository}/referrers/${digest}${query}`, requests.url);
  let url: URL | undefined = first;
  while (url !== undefined) {
    const headers = { accept: manifestMediaTypes[0] };
    const request = { method: "GET", url, headers, repository, actions: ["pull"], purpose, signal } as const;
    const response: RegistryResponse = await requests.send(request);
    if (url === first && withoutReferrers.has(response.status)) {
      await discardBody(response);
      return undefined;
    }
    if (!response.ok) throw await requests.fail(purpose, response);
    const page = await readReferrersPage(requests, purpose, response);
    if (page === undefined && url === first) return undefined;
    if (page === undefined) throw notIndex(requests, purpose, response);
    referrers.push(...page);
    const digests = page.map((referrer) => referrer.digest);
    url = trail.next(response, url, digests);
  }
  return referrers;
}

/** How registries say that they keep no list of referrers. */
const withoutReferrers = new Set([400, 404, 405, 406, 501]);

/** Not all registries name the type of their lists, or name it exactly; what has one of these is no list of referrers. */
const otherMediaTypes = /html|image\.manifest\.v1|distribution\.manifest\.v/i;

/** `undefined` for what is no index: some answer 200 to every path, with a page for people or with JSON of their own. */
async function readReferrersPage(
  requests: RegistryRequests,
  purpose: string,
  response: RegistryResponse,
): Promise<ReferrerDescriptor[] | undefined> {
  if (otherMediaTypes.test(mediaTypeOf(response))) {
    await discardBody(response);
    return undefined;
  }
  const bytes = await readPage(requests, purpose, response);
  const manifests = parseManifestJson(bytes)?.["manifests"];
  // Programs in Go write an empty list as `null`.
  return Array.isArray(manifests) || manifests === null ? parseReferrers(bytes) : undefined;
}

function notIndex({ registry }: RegistryRequests, purpose: string, response: RegistryResponse): Error {
  const reason = "one of its pages is no index";
  return unusableAnswerError({ registry, purpose, tried: [] }, response.status, reason);
}

async function referrersFromTag(
  manifests: Pick<ManifestRequests, "getManifest">,
  { registry, repository, digest }: ImageReference & { readonly digest: string },
  { tags }: ReferrersKnowledge,
  signal: AbortSignal,
): Promise<ReferrerDescriptor[]> {
  const tag = referrersTag(digest);
  if ((await tags)?.has(tag) === false) return [];
  const index = await manifests.getManifest({ registry, repository, tag }, { signal });
  return index === undefined ? [] : parseReferrers(index.bytes);
}
