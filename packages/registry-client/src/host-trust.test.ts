import tls from "node:tls";

import { afterEach, expect, test, vi } from "vitest";

import { createCertificate } from "./__fixtures__/certificate.ts";
import { createHostTrust, isOwnHost } from "./host-trust.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ["https://registry.example.com/v2/", "registry.example.com", true],
  ["https://registry.example.com:5050/token", "registry.example.com", true],
  ["https://auth.registry.example.com/token", "registry.example.com", false],
  ["https://registry.example.com.example.net/token", "registry.example.com", false],
  ["https://[fd00::1]:5000/v2/", "[fd00::1]", true],
  ["https://wherever.example.com/", undefined, true],
])("%s for %s: its own host is %s", (url, registryHost, isOwn) => {
  expect(isOwnHost({ url: new URL(url), registryHost })).toBe(isOwn);
});

test.each([
  ["tells what it trusts", ["usual", "of the company"]],
  ["before 22.15 does not", undefined],
])("a private authority stands beside the usual ones where Node %s", (_, usual) => {
  const { cert } = createCertificate("DNS:registry.example.com");
  const createSecureContext = vi.fn<typeof tls.createSecureContext>(() => tls.createSecureContext());
  const getCACertificates = usual === undefined ? undefined : () => usual;
  vi.spyOn(process, "getBuiltinModule").mockReturnValue({ ...tls, createSecureContext, getCACertificates });
  const trust = createHostTrust({ ca: cert });
  expect(createSecureContext).not.toHaveBeenCalled();
  expect(trust(true).context?.()).toBe(trust(false).context?.());
  expect(createSecureContext.mock.calls).toEqual([[{ ca: [...(usual ?? tls.rootCertificates), cert] }]]);
});
