import type { Credential } from "./keychain.ts";

/**
 * What a credential says to a registry, wherever it comes from: to tell credentials apart, and for nothing else. Field by field, since those of a
 * keychain turn into JSON without their values, and those of somebody's class may have them behind getters.
 */
export function credentialValues(credential: Credential): readonly string[] {
  const { type } = credential;
  if (type === "basic") return [type, credential.username, credential.password];
  return type === "helper" ? [type, credential.helper, credential.serverUrl] : [type, credential.token];
}

/** Whether two credentials say the same. */
export function isSameCredential(first: Credential, second: Credential): boolean {
  const [values, others] = [credentialValues(first), credentialValues(second)];
  return values.length === others.length && values.every((value, index) => value === others[index]);
}
