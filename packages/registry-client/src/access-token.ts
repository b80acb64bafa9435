import type { Credential } from "@slipway/core";

import type { Challenge } from "./challenge.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import { discardBody, readBody } from "./response-body.ts";

const maxTokenBytes = 64 * 1024;
const defaultLifetimeSeconds = 60;

/** What an `Authorization` header may hold, and until when. */
export interface Authorization {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** A token service, as a registry's challenge names it. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scope: string;
}

/**
 * The token service of a `Bearer` challenge. `undefined` if its address is no good: no URL, not HTTP, or plain HTTP although the registry itself
 * is reached by HTTPS, which would give credentials away.
 */
export function tokenService(challenge: Challenge, scope: string, registry: URL): TokenService | undefined {
  const { realm = "", service, scope: asked } = challenge.parameters;
  const url = URL.parse(realm);
  if (url === null || !(url.protocol === "https:" || (url.protocol === "http:" && registry.protocol === "http:")))
    return undefined;
  return { realm: url, service, scope: asked === undefined || asked === "" ? scope : asked };
}

type Send = (request: Pick<RegistryRequest, "method" | "url" | "headers" | "body">) => Promise<RegistryResponse>;

/** Gets a token for a credential, or for nobody. `undefined` if the service refuses. */
export async function fetchToken(
  service: TokenService,
  credential: Credential | undefined,
  send: Send,
): Promise<Authorization | undefined> {
  const response = await send(tokenRequest(service, credential));
  if (!response.ok) {
    await discardBody(response);
    return undefined;
  }
  const text = new TextDecoder().decode(await readBody(response, maxTokenBytes));
  return readToken(text, Date.now());
}

function tokenRequest(
  { realm, service, scope }: TokenService,
  credential: Credential | undefined,
): Parameters<Send>[0] {
  const parameters = new URLSearchParams({ ...(service === undefined ? {} : { service }), client_id: "slipway" });
  if (credential?.type === "identity-token") {
    parameters.set("grant_type", "refresh_token");
    parameters.set("refresh_token", credential.token);
    parameters.set("scope", scope);
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return { method: "POST", url: realm, headers, body: parameters.toString() };
  }
  for (const part of scope.split(" ")) parameters.append("scope", part);
  const url = new URL(realm);
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  const headers: Record<string, string> =
    credential?.type === "basic" ? { authorization: basicHeader(credential) } : {};
  return { method: "GET", url, headers };
}

/** `Basic`, with the user and password in base64. */
export function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function readToken(text: string, nowMs: number): Authorization | undefined {
  const answer = parseObject(text);
  const token = [answer["token"], answer["access_token"]].find((value) => typeof value === "string" && value !== "");
  if (typeof token !== "string") return undefined;
  const expiresIn = answer["expires_in"];
  // No lifetime means a minute, says the specification; what is nearly over is renewed early.
  const lifetimeSeconds = typeof expiresIn === "number" && expiresIn > 0 ? expiresIn : defaultLifetimeSeconds;
  return { header: `Bearer ${token}`, expiresAtMs: nowMs + lifetimeSeconds * 900 };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
