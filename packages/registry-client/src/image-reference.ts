import { invalidOptions, namesUser, quoteReference, userBeforeReference } from "@slipway/core/errors";

/** A name of an image, in full: `docker.io/library/busybox`, not `busybox`. */
export interface ImageReference {
  /** Host with its port: `registry.example.com:5000`; Docker Hub is `docker.io`. */
  readonly registry: string;
  /** Path within the registry: `library/busybox`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…`, which names exactly one image. */
  readonly digest?: string;
}

const component = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const host = `(?:${component}(?:\\.${component})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const tag = "[\\w][\\w.-]{0,127}";
const path = `${pathComponent}(?:/${pathComponent})*`;
const grammar = new RegExp(`^(?:(${host})/)?(${path})(?::(${tag}))?(?:@(.+))?$`);
const repositoryGrammar = new RegExp(`^${path}$`);
const tagGrammar = new RegExp(`^${tag}$`);

/** Lengths of the digests that go-digest knows, in hexadecimal digits. */
const digestDigits: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const maxRepositoryLength = 255;
const dockerHub = "docker.io";
const officialPrefix = "library/";

/**
 * Parses a reference the way distribution/reference does it, and with it every engine: `busybox` is `docker.io/library/busybox`. A missing tag stays
 * missing.
 *
 * @throws `INVALID_OPTIONS`, saying what is wrong.
 */
export function parseImageReference(text: string): ImageReference {
  return orThrow(readPullable(text));
}

/**
 * What distribution/reference makes of a text, letter for letter: `under_score.io/app` has an empty registry there, since no host has an
 * underscore, and nothing can be pulled by it. Throws as {@link parseImageReference} does.
 */
export function readImageReference(text: string): ImageReference {
  return orThrow(readReference(text));
}

/** Whether {@link parseImageReference} takes a text. */
export function isImageReference(text: string): boolean {
  return imageReferenceProblem(text) === undefined;
}

/** Why {@link parseImageReference} does not take a text, for whoever names the option that it comes from; `undefined` if it does. */
export function imageReferenceProblem(text: string): string | undefined {
  const read = readPullable(text);
  return typeof read === "string" ? read : undefined;
}

function orThrow(read: ImageReference | string): ImageReference {
  if (typeof read === "string") throw invalidOptions("an image reference", [{ path: "", message: read }]);
  return read;
}

/** @returns what is wrong with the text, if it names nothing that can be pulled */
function readPullable(text: string): ImageReference | string {
  const read = readReference(text);
  if (typeof read === "string" || read.registry !== "") return read;
  return refusal(text, "names a registry that can be no host");
}

/** @returns what is wrong with the text, if it is no reference */
function readReference(text: string): ImageReference | string {
  if (/^[a-f0-9]{64}$/.test(text)) return refusal(text, "is an image id, not a name");
  const match = grammar.exec(normalize(text));
  if (match === null) return refusal(text, problemOf(text));
  const [, registry = "", repository = "", tag, digest] = match;
  if (repository.length > maxRepositoryLength)
    return refusal(text, `has a repository of more than ${maxRepositoryLength} characters`);
  if (digest !== undefined && !isDigest(digest))
    return refusal(text, "has a malformed digest; write sha256: and 64 hexadecimal digits");
  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

function refusal(text: string, problem: string): string {
  return `${quoteReference(text)} ${namesUser(text) ? userBeforeReference : problem}`;
}

/** Whether a text is a digest of an algorithm that registries use: sha256, sha384 or sha512. */
export function isDigest(text: string): boolean {
  const [algorithm = "", encoded = ""] = text.split(/:(.*)/s);
  return digestDigits[algorithm] === encoded.length && /^[a-f0-9]+$/.test(encoded);
}

/** The full spelling, which {@link parseImageReference} reads back. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  const host = registry === "" ? "" : `${registry}/`;
  return `${host}${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** The short spelling that people know: `busybox:1` for `docker.io/library/busybox:1`. */
export function formatFamiliarReference(reference: ImageReference): string {
  const full = formatImageReference(reference);
  if (reference.registry !== dockerHub) return full;
  const path = full.slice(dockerHub.length + 1);
  const official = /^library\/[^/]+$/.test(reference.repository);
  return official ? path.slice(officialPrefix.length) : path;
}

/** Whether a text is the path of a repository within its registry. */
export function isRepository(text: string): boolean {
  return repositoryGrammar.test(text) && text.length <= maxRepositoryLength;
}

/** Whether a text can be a tag. */
export function isTag(text: string): boolean {
  return tagGrammar.test(text);
}

/** What engines take for the registry of a name; `undefined` if it names none. */
export function namedRegistry(text: string): string | undefined {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const isRegistry = first === "localhost" || /[.:]/.test(first) || first !== first.toLowerCase();
  return slash !== -1 && isRegistry ? first : undefined;
}

/** Adds the registry, and `library/`, to a name that leaves them out. */
function normalize(text: string): string {
  const named = namedRegistry(text);
  const registry = named === undefined || named === "index.docker.io" ? dockerHub : named;
  const rest = named === undefined ? text : text.slice(named.length + 1);
  return registry === dockerHub && !rest.includes("/")
    ? `${dockerHub}/${officialPrefix}${rest}`
    : `${registry}/${rest}`;
}

function problemOf(text: string): string {
  if (text === "") return "is empty";
  if (/^[a-z]+:\/\//i.test(text)) return "has a scheme; leave it out";
  if (grammar.test(normalize(text.toLowerCase())))
    return "has upper case letters in its repository; write them in lower case";
  return "is no image reference; write registry/repository:tag";
}
