import { createHmac, randomBytes } from "node:crypto";

import { BuilderError, credentialValues, unlessAborted } from "@slipway/core/errors";
import type { Credential } from "@slipway/core";

import type { Authorization, NoAuthorization, TokenService } from "./access-token.ts";
import { abortError } from "./registry-error.ts";

/** Keeps tokens while they live, by service, credential and scopes. Who asks for one that is on its way waits for it. */
export interface TokenCache {
  get(
    service: TokenService,
    credential: Credential | undefined,
    signal: AbortSignal,
    fetch: () => Promise<Authorization | NoAuthorization>,
  ): Promise<Authorization | NoAuthorization>;
  /** A registry does not accept a token any more. */
  forget(header: string): void;
}

/** Tokens of one client. Credentials are no part of a key: their HMAC is. */
export function createTokenCache(): TokenCache {
  const secret = randomBytes(32);
  const tokens = new Map<string, Promise<Authorization | NoAuthorization>>();
  const keyOf = ({ realm, service, scopes }: TokenService, credential: Credential | undefined): string =>
    createHmac("sha256", secret)
      .update(JSON.stringify([realm.href, service, scopes, credential && credentialValues(credential)]))
      .digest("base64");
  const start: TokenCache["get"] = async (service, credential, signal, fetch) => {
    const key = keyOf(service, credential);
    const known = tokens.get(key);
    if (known !== undefined) {
      const found = await unlessAborted(known, signal, abortError).catch((error: unknown) => {
        // Somebody else's request has ended; this one goes on.
        if (isAbort(error) && !signal.aborted) return undefined;
        throw error;
      });
      if (found !== undefined && "header" in found && found.expiresAtMs > Date.now()) return found;
      if (tokens.get(key) !== known) return await start(service, credential, signal, fetch);
    }
    const fetching = fetch();
    tokens.set(key, fetching);
    const settled = await fetching.catch((error: unknown) => {
      if (tokens.get(key) === fetching) tokens.delete(key);
      throw error;
    });
    if (!("header" in settled) && tokens.get(key) === fetching) tokens.delete(key);
    return settled;
  };
  return {
    get: start,
    forget(header) {
      for (const [key, promise] of tokens)
        void promise.then(
          (token) => "header" in token && token.header === header && tokens.delete(key),
          () => undefined,
        );
    },
  };
}

function isAbort(error: unknown): boolean {
  return BuilderError.isInstance(error) && (error.code === "ABORTED" || error.code === "TIMEOUT");
}
