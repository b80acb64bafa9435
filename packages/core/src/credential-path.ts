import type { Credential } from "./keychain.ts";

/** The folders of the path that a credential is limited to; none where it is for all of its registry, which an empty `scope` says as well as none. */
export function credentialPath({ scope = "" }: Credential): readonly string[] {
  return scope === "" ? [] : scope.split("/");
}
