import { credentialPath, isSameCredential, type Credential, type Keychain, type KeychainCall } from "@slipway/core";

/** Actions of a registry's token scopes, in the words of a keychain. */
export type RegistryAction = "pull" | "push" | "delete";

/** What a scope of a registry's token service is about: `repository:team/app:pull,push`. */
export interface RepositoryScope {
  readonly repository: string;
  readonly actions: readonly RegistryAction[];
}

/** Reads the scopes that are about repositories; there are others, such as `registry:catalog:*`. */
export function parseRepositoryScopes(scopes: readonly string[]): RepositoryScope[] {
  return scopes
    .flatMap((scope) => scope.split(" "))
    .flatMap((scope) => {
      const [, repository, actions] = /^repository(?:\([^)]*\))?:(.+):([^:]*)$/.exec(scope) ?? [];
      if (repository === undefined || actions === undefined) return [];
      const known = actions.split(",").flatMap((action) => (action === "*" ? ["pull", "push", "delete"] : [action]));
      return [{ repository, actions: known.filter(isAction) }];
    });
}

function isAction(action: string): action is RegistryAction {
  return action === "pull" || action === "push" || action === "delete";
}

/** The repositories of a host that a build uses, those that it writes to first. */
export type UsedRepositories = (host: string) => Promise<readonly string[]>;

/** Credentials that a process can use as they are. */
export type UsableCredential = Exclude<Credential, { type: "helper" }>;

/** The candidates for a registry, or one repository of it, best first, without those that only a pod could resolve. */
export async function usableCandidates(
  keychain: Keychain,
  resource: Parameters<Keychain["resolve"]>[0],
  call: KeychainCall,
): Promise<readonly UsableCredential[]> {
  const candidates = await keychain.resolve(resource, call);
  return candidates.filter((candidate) => candidate.type !== "helper");
}

/** Whether there is more than one to try. */
export function areDifferent([first, ...others]: readonly UsableCredential[]): boolean {
  return first !== undefined && others.some((candidate) => !isSameCredential(candidate, first));
}

/** Whether a host has different credentials for different repositories, so that no single one will do for it. */
export function differByScope(candidates: readonly UsableCredential[]): boolean {
  return candidates.some((candidate) => credentialPath(candidate).length > 0) && areDifferent(candidates);
}
