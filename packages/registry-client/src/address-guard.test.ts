import { expect, test } from "vitest";

import { AddressRefusedError, createAddressGuard } from "./address-guard.ts";

function allows(registry: string, target: string, allow: string[] = []): boolean {
  try {
    createAddressGuard(new URL(registry), { allow }).checkUrl(new URL(target));
    return true;
  } catch (error) {
    if (error instanceof AddressRefusedError) return false;
    throw error;
  }
}

test.each([
  ["https://registry.example.com", "https://cdn.example.net", true],
  ["https://registry.example.com", "http://127.0.0.1:8080", false],
  ["https://registry.example.com", "http://localhost", false],
  ["https://registry.example.com", "http://10.0.0.1", false],
  ["https://registry.example.com", "http://[::ffff:10.0.0.1]", false],
  ["https://registry.example.com", "http://169.254.169.254", false],
  ["https://registry.example.com", "http://kubernetes.default.svc", false],
  // The registry itself may lie anywhere, on any port.
  ["http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true],
  ["http://localhost:5000", "http://127.0.0.1:5001/token", true],
  ["http://10.0.0.7:5000", "http://10.0.0.7/token", true],
  ["http://10.0.0.7:5000", "http://10.0.0.8/token", false],
  ["http://registry.builds.svc:5000", "http://registry.builds.svc:5001", true],
  ["http://registry.builds.svc:5000", "http://tokens.builds.svc:5001", true],
  ["http://registry.builds.svc.cluster.local:5000", "http://tokens.builds.svc:5001", true],
  ["http://registry.builds.svc:5000", "http://kubernetes.default.svc", false],
  ["http://registry.builds.svc:5000", "http://10.96.0.1", false],
  ["http://registry.builds.svc:5000", "http://169.254.169.254", false],
  ["https://registry.internal", "http://metadata.google.internal", false],
])("%s may lead to %s: %s", (registry, target, allowed) => {
  expect(allows(registry, target)).toBe(allowed);
});

test.each([
  ["http://10.0.0.8", ["10.0.0.8"], true],
  ["http://10.0.0.9", ["10.0.0.8"], false],
  ["http://s3.storage.local", ["*.storage.local"], true],
  ["http://storage.local", ["*.storage.local"], false],
  ["http://169.254.169.254", ["169.254.169.254"], true],
])("%s with %j allowed: %s", (target, allow, allowed) => {
  expect(allows("https://registry.example.com", target, allow)).toBe(allowed);
});

test.each([
  ["http://registry.builds.svc:5000", "http://cdn.example.net", false],
  ["http://registry.builds.svc:5000", "https://cdn.example.net", true],
  ["http://registry.builds.svc:5000", "http://198.51.100.7", true],
  ["http://registry.builds.svc:5000", "http://tokens.builds.svc:5001", true],
  ["http://registry.builds.svc:5000", "http://minio.example.org", true],
  ["http://registry.example.com", "http://registry.example.com:5001", true],
  ["http://registry.example.com", "http://auth.example.com", true],
  ["http://registry.example.com", "http://auth.example.net", false],
  ["https://registry.example.com", "https://auth.example.net", true],
])("where names are resolved elsewhere %s may lead to %s: %s", (registry, target, allowed) => {
  const guard = createAddressGuard(new URL(registry), { allow: ["minio.example.org"] }, () => true);
  const check = () => {
    guard.checkUrl(new URL(target));
  };
  if (allowed) expect(check).not.toThrow();
  else expect(check).toThrow(AddressRefusedError);
});

/** The registry is found at one address, then something else at another one. */
function connects(
  registry: string,
  ownAddress: string,
  target: string,
  address: string,
  allow: string[] = [],
): boolean {
  const guard = createAddressGuard(new URL(registry), { allow });
  guard.addressCheck(new URL(registry))?.(ownAddress);
  try {
    guard.addressCheck(new URL(target))?.(address);
    return true;
  } catch {
    return false;
  }
}

test.each([
  ["a public registry may use public storage", "203.0.113.7", "https://cdn.example.net", "198.51.100.7", true],
  ["but nothing behind the firewall", "203.0.113.7", "https://cdn.example.net", "10.0.0.1", false],
  ["nor this machine", "203.0.113.7", "https://cdn.example.net", "127.0.0.1", false],
  ["nor a neighbour there", "203.0.113.7", "https://auth.example.com", "10.0.0.1", false],
  ["a registry of an inner network has neighbours", "10.0.0.7", "https://auth.example.com", "10.0.0.8", true],
  ["which are not metadata", "10.0.0.7", "https://auth.example.com", "169.254.169.254", false],
  ["and not just anybody", "10.0.0.7", "https://auth.example.net", "10.0.0.8", false],
  ["its own address has other names", "10.0.0.7", "https://auth.example.net", "10.0.0.7", true],
])("%s", (_, ownAddress, target, address, allowed) => {
  expect(connects("https://registry.example.com", ownAddress, target, address)).toBe(allowed);
});

test("an allowed name may have any address", () => {
  const target = "https://minio.example.org";
  expect(connects("https://registry.example.com", "203.0.113.7", target, "10.0.0.1", ["minio.example.org"])).toBe(true);
});
