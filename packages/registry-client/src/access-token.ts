import type { Credential } from "@slipway/core";

import type { Challenge } from "./challenge.ts";
import { describeAnswer } from "./registry-error.ts";
import type { RegistryRequest, RegistryResponse } from "./registry-transport.ts";
import { BodyTooLargeError, discardBody, readBody } from "./response-body.ts";

const maxTokenBytes = 64 * 1024;
const defaultLifetimeSeconds = 60;

/** What an `Authorization` header may hold, and until when. */
export interface Authorization {
  readonly header: string;
  readonly expiresAtMs: number;
}

/** Why a credential brings no authorization. */
export interface NoAuthorization {
  readonly answer: string;
}

/** A token service, as a registry's challenge names it. */
export interface TokenService {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
}

/**
 * Where the tokens of a `Bearer` challenge come from. A text says why its address is no good: no URL, not HTTP, or plain HTTP although the
 * registry itself is reached by HTTPS, which would give credentials away.
 */
export function tokenRealm({ parameters }: Challenge, registry: URL): URL | string {
  const { realm } = parameters;
  if (realm === undefined) return "the registry names no token service";
  const url = URL.parse(realm);
  if (url === null) return "the registry's token service has no valid address";
  if (url.protocol === "https:" || (url.protocol === "http:" && registry.protocol === "http:")) return url;
  return `the registry's token service is at ${url.protocol}//${url.host}, where no credentials are sent`;
}

type Send = (request: Pick<RegistryRequest, "method" | "url" | "headers" | "body">) => Promise<RegistryResponse>;

/** Gets a token for a credential, or for nobody. */
export async function fetchToken(
  service: TokenService,
  credential: Credential | undefined,
  send: Send,
): Promise<Authorization | NoAuthorization> {
  const response =
    credential?.type === "identity-token"
      ? await exchangeIdentityToken(service, credential.token, send)
      : await send(tokenRequest(service, credential?.type === "basic" ? credential : undefined));
  if (!response.ok) {
    const { text } = await describeAnswer(response);
    return { answer: `the token service ${service.realm.host} answered ${text}` };
  }
  const nothing = { answer: `the token service ${service.realm.host} answered ${response.status} without a token` };
  try {
    const bytes = await readBody(response, maxTokenBytes);
    return readToken(new TextDecoder().decode(bytes), Date.now()) ?? nothing;
  } catch (error) {
    if (error instanceof BodyTooLargeError) return nothing;
    throw error;
  }
}

/** The answers of services that only know the older way: GCR's, everybody's, Artifactory's. */
const withoutExchange = new Set([404, 405, 401]);

/** The refresh token travels in a form; services that know no forms get it as a password. */
async function exchangeIdentityToken(service: TokenService, token: string, send: Send): Promise<RegistryResponse> {
  const form = new URLSearchParams({ grant_type: "refresh_token", ...parametersOf(service) });
  form.set("scope", service.scopes.join(" "));
  form.set("refresh_token", token);
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const response = await send({ method: "POST", url: service.realm, headers, body: form.toString() });
  if (!withoutExchange.has(response.status)) return response;
  await discardBody(response);
  return await send(tokenRequest(service, { username: "<token>", password: token }));
}

function tokenRequest(
  service: TokenService,
  login: { readonly username: string; readonly password: string } | undefined,
): Parameters<Send>[0] {
  const url = new URL(service.realm);
  for (const [name, value] of Object.entries(parametersOf(service))) url.searchParams.append(name, value);
  for (const scope of service.scopes) url.searchParams.append("scope", scope);
  return { method: "GET", url, headers: login === undefined ? {} : { authorization: basicHeader(login) } };
}

function parametersOf({ service }: TokenService): Record<string, string> {
  return { ...(service === undefined ? {} : { service }), client_id: "slipway" };
}

/** `Basic`, with the user and password in base64. */
export function basicHeader({ username, password }: { readonly username: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function readToken(text: string, nowMs: number): Authorization | undefined {
  const answer = parseObject(text);
  const token = [answer["token"], answer["access_token"]].find((value) => typeof value === "string" && value !== "");
  // What cannot stand in a header is no token.
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token)) return undefined;
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
