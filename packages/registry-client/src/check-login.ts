import { basicHeader } from "./access-token.ts";
import type { RegistryAccess } from "./access-session.ts";
import type { RegistryCall } from "./registry-call.ts";
import { neverAborted } from "./registry-call.ts";
import { responseError } from "./registry-error.ts";
import { sendRequest } from "./registry-requests.ts";
import { discardBody } from "./response-body.ts";

/** A user of a registry. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** The root of the API of a registry with Basic authentication is for all whom it knows. */
export async function checkLogin(
  access: RegistryAccess,
  login: RegistryLogin,
  { signal = neverAborted() }: RegistryCall = {},
): Promise<boolean> {
  const { registry, url } = access;
  const subject = { registry, purpose: `log in at the registry ${registry}`, tried: [] };
  const headers = { authorization: basicHeader(login) };
  const response = await sendRequest(access, { method: "GET", url, headers, signal }, subject);
  if (!response.ok && response.status !== 401 && response.status !== 403) throw await responseError(subject, response);
  await discardBody(response);
  return response.ok;
}
