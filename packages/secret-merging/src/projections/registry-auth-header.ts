import type { Credential } from "@slipway/core";

import { dockerHubKey } from "../registry-scope.ts";

/**
 * The value of the header `X-Registry-Auth`, with which Docker's daemon pulls and pushes (URL-safe base64, with padding). `undefined` for a helper,
 * which has to be run first.
 *
 * @param registry - As in an image reference; `docker.io` gets the name that the daemon knows it by.
 */
export function registryAuthHeader(credential: Credential, registry: string): string | undefined {
  const content = headerContent(credential);
  if (content === undefined) return undefined;
  const serveraddress = registry === "docker.io" ? dockerHubKey : registry;
  // The daemon's decoder wants the padding that base64url leaves out.
  const text = Buffer.from(JSON.stringify({ ...content, serveraddress })).toString("base64");
  return text.replaceAll("+", "-").replaceAll("/", "_");
}

function headerContent(credential: Credential): Record<string, string> | undefined {
  switch (credential.type) {
    case "basic":
      return { username: credential.username, password: credential.password };
    case "identity-token":
      return { identitytoken: credential.token };
    case "registry-token":
      return { registrytoken: credential.token };
    case "helper":
      return undefined;
  }
}
