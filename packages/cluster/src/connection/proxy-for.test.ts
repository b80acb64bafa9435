import { expect, test } from "vitest";

import { matchesNoProxy, proxyFor } from "./proxy-for.ts";

const noProxy: readonly (readonly [entry: string, host: string, port: string, matches: boolean])[] = [
  ["*", "a.example", "443", true],
  ["example", "a.example", "443", true],
  ["a.example", "a.example", "443", true],
  [".example", "a.example", "443", true],
  [".example", "example", "443", false],
  ["*.example", "a.example", "443", true],
  ["xample", "a.example", "443", false],
  ["a.example:6443", "a.example", "6443", true],
  ["a.example:6443", "a.example", "443", false],
  ["10.0.0.0/8", "10.1.2.3", "443", true],
  ["10.0.0.0/8", "11.1.2.3", "443", false],
  ["10.0.0.0/8", "a.example", "443", false],
  ["10.1.2.3", "10.1.2.3", "443", true],
  ["fd00::/8", "fd00::1", "443", true],
  ["", "a.example", "443", false],
];

test.each(noProxy)("NO_PROXY %s covers %s:%s: %s", (entry, host, port, matches) => {
  expect(matchesNoProxy(entry, host, port)).toBe(matches);
});

test("the kubeconfig's proxy-url wins, then the environment, and loopback needs none", () => {
  const environment = { HTTPS_PROXY: "proxy.example:3128", NO_PROXY: "internal.example" };
  const proxy = (server: string, url?: string): string | undefined => proxyFor(new URL(server), url, environment)?.href;
  expect(proxy("https://a.example", "socks5://other:1080")).toBe("socks5://other:1080");
  expect(proxy("https://a.example")).toBe("http://proxy.example:3128/");
  expect(proxy("https://x.internal.example")).toBeUndefined();
  expect(proxy("https://127.0.0.1:6443")).toBeUndefined();
  expect(proxy("http://a.example")).toBeUndefined();
});
