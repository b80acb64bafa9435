import { BuilderError } from "@slipway/core";
import type { Credential, Keychain, KeychainCall, SecretData } from "@slipway/core";

/** Text in base64. */
export const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** An entry of `auths`. */
export const basic = (username: string, password = "hunter2"): object => ({ auth: base64(`${username}:${password}`) });

/** Asks a keychain about a repository, `registry/repository`, or a registry. */
export function ask(
  keychain: Keychain,
  name: string,
  call: Partial<KeychainCall> = {},
): Promise<readonly Credential[]> {
  const [registry = "", ...path] = name.split("/");
  const repository = path.length > 0 ? { repository: path.join("/") } : {};
  return keychain.resolve(
    { registry, ...repository, actions: ["pull"] },
    { signal: AbortSignal.timeout(60_000), ...call },
  );
}

/** User names, or kinds of what is none, in order. */
export async function users(keychain: Keychain, name: string, call?: Partial<KeychainCall>): Promise<string[]> {
  return (await ask(keychain, name, call)).map((credential) =>
    credential.type === "basic" ? credential.username : credential.type,
  );
}

/** A Secret with one key. */
export function secret(name: string, content: unknown, type = "kubernetes.io/dockerconfigjson"): SecretData {
  const key = type === "Opaque" ? "config.json" : type.replace("kubernetes.io/", ".");
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return { namespace: "builds", name, type, data: { [key]: Buffer.from(text) } };
}

/** A call that serves these Secrets and collects what it is warned about. */
export function serving(...secrets: readonly SecretData[]): Partial<KeychainCall> & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return {
    warnings,
    warn: (message) => warnings.push(message),
    readSecret: ({ name }) => Promise.resolve(secrets.find((candidate) => candidate.name === name)),
  };
}

/** The message of an INVALID_OPTIONS error. */
export async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS")
    throw new Error("not refused", { cause: error });
  return error.details.issues.map(({ message }) => message).join("\n");
}
