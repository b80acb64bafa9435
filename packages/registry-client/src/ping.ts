import type { RegistryAccess } from "./access-session.ts";
import { parseChallenges } from "./challenge.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import { responseError, unusableAnswerError } from "./registry-error.ts";
import { sendRequest } from "./registry-requests.ts";
import { discardBody } from "./response-body.ts";

/** How a registry wants to be asked. */
export interface RegistryPing {
  readonly authentication: "none" | "basic" | "bearer";
  /** Address of the token service, as the registry states it. */
  readonly realm?: string | undefined;
  /** What the token service calls the registry. */
  readonly service?: string | undefined;
}

/** Asks the root of the API without credentials, whose refusal says how to authorize. */
export async function ping(
  access: RegistryAccess,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<RegistryPing> {
  const { registry, url } = access;
  const subject = { registry, purpose: `reach the registry ${registry}`, tried: [] };
  const response = await sendRequest(access, { method: "GET", url, headers: {}, signal }, subject);
  const header = response.headers.get("www-authenticate");
  if (!response.ok && response.status !== 401) throw await responseError(subject, response);
  await discardBody(response);
  if (response.ok) return { authentication: "none" };
  const challenges = parseChallenges(header ?? "");
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) {
    const { realm, service } = bearer.parameters;
    return { authentication: "bearer", realm, service };
  }
  if (challenges.some(({ scheme }) => scheme === "basic")) return { authentication: "basic" };
  throw unusableAnswerError(subject, 401, "it wants to be authorized and does not say how");
}
