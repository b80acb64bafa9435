import { namesUser, quoteReference, userBeforeReference } from "@slipway/core";

import { canonicalHost } from "../registry-scope.ts";

/** The registry of an image, and its repository; a registry alone has none. */
export interface ImageName {
  /** As the image names it, with its port: under nothing else do other programs look for credentials. */
  readonly host: string;
  /** Which registry that is: `registry.example.com` for `registry.example.com:443`. */
  readonly registry: string;
  readonly repository?: string;
}

const dockerHub = "docker.io";

// The grammar of https://github.com/distribution/reference.
const hostComponent = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const hostAndPort = `(${hostComponent}(?:\\.${hostComponent})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const pathComponent = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const maxRepositoryLength = 255;
const registryGrammar = new RegExp(`^${hostAndPort}$`);
const imageGrammar = new RegExp(
  `^(?:${hostAndPort}/)?${pathComponent}(?:/${pathComponent})*(?::\\w[\\w.-]{0,127})?(?:@(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?$`,
);

/**
 * Takes the name of an image apart, or of a registry. What has no slash is a registry if its host has a dot, is `localhost` or an address in brackets,
 * with or without a port, or if it is one of those that are known; all else is an image: `nginx:1` is one of Docker Hub.
 *
 * @param known - Registries that may have names like images: `registry:5000`.
 * @returns what is wrong with it, if it is neither
 */
export function parseImageName(name: string, known: readonly string[] = []): ImageName | string {
  if (isRegistry(name, known)) return named({ host: name === "index.docker.io" ? dockerHub : name });
  const problem = problemOf(name);
  return problem === undefined ? named(splitImage(name)) : `${quoteReference(name)} ${problem}`;
}

function isRegistry(name: string, known: readonly string[]): boolean {
  if (known.some((registry) => canonicalHost(registry) === canonicalHost(name))) return true;
  const host = registryGrammar.exec(name)?.[1];
  return host !== undefined && (/[.[]/.test(host) || host.toLowerCase() === "localhost");
}

function problemOf(name: string): string | undefined {
  if (/^[a-f0-9]{64}$/.test(name)) return "is an image id; write registry/repository:tag";
  if (imageGrammar.test(name)) return problemOfParts(splitImage(name));
  if (namesUser(name)) return userBeforeReference;
  if (name === "") return "is empty; write registry/repository:tag, or a registry";
  if (/^[a-z]+:\/\//i.test(name)) return "has a scheme; write it without";
  if (imageGrammar.test(name.toLowerCase()))
    return "has upper case letters in its repository; write them in lower case";
  return "is neither an image, registry/repository:tag, nor a registry, registry.example.com:5000; write one of them";
}

function problemOfParts({ host, repository }: Pick<Required<ImageName>, "host" | "repository">): string | undefined {
  if (!registryGrammar.test(host)) return `has ${JSON.stringify(host)} where the host should be, which is none`;
  if (repository.length > maxRepositoryLength) return `has a repository of more than ${maxRepositoryLength} characters`;
  return undefined;
}

function named<Name extends { readonly host: string }>(name: Name): Name & { readonly registry: string } {
  return { ...name, registry: canonicalHost(name.host) };
}

/**
 * Host and repository of an image, `host/repository[:tag][@digest]`, as distribution/reference and with it every engine splits them: a first
 * component that can be no host belongs to a repository of Docker Hub.
 */
export function splitImage(image: string): { readonly host: string; readonly repository: string } {
  const name = image.replace(/@.*$/s, "").replace(/:[^/]*$/s, "");
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const host = isHost && first !== "index.docker.io" ? first : dockerHub;
  const path = isHost ? name.slice(slash + 1) : name;
  return { host, repository: host === dockerHub && !path.includes("/") ? `library/${path}` : path };
}
