import type { BuildkitDriverOptions } from "@slipway/buildkit-driver";

import type { TestNamespace } from "../test-namespace.ts";
import type { RegistryUser } from "./registry-access.ts";

/** The name of the registry's Service and pod. */
export const registryName = "registry";

/** The port of the registry. */
export const registryPort = 5000;

/** What pods call the registry of a test's namespace. */
export function registryHost(namespace: string): string {
  return `${registryName}.${namespace}.svc:${registryPort}`;
}

/** What a BuildKit driver needs to build in `namespace` with the registries of other tests' namespaces, by default its own. */
export function registryDriverOptions(
  namespace: TestNamespace,
  others: readonly TestNamespace[] = [namespace],
): BuildkitDriverOptions {
  const hosts = others.map(({ name }) => [registryHost(name), { http: true }] as const);
  const { driverOptions } = namespace;
  return { ...driverOptions, registries: { ...driverOptions.registries, ...Object.fromEntries(hosts) } };
}

/** The header of Basic authentication. */
export function basicAuthorization({ name, password }: RegistryUser): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
}
