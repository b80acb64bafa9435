import { expect, test } from "vitest";

import { readProxySettings } from "./proxy-settings.ts";

const environment = { HTTPS_PROXY: "http://secure:3128", http_proxy: "plain:3128", NO_PROXY: "" };

test.each([
  ["https://registry.example.com", "", "http://secure:3128/"],
  ["http://registry.example.com", "", "http://plain:3128/"],
  ["http://127.0.0.1:5000", "", undefined],
  ["http://localhost:5000", "", undefined],
  ["https://registry.example.com", "*", undefined],
  ["https://registry.example.com", "example.com", undefined],
  ["https://registry.example.com", ".example.com", undefined],
  ["https://registry.example.com", "other.io, registry.example.com", undefined],
  ["https://registry.example.com", "registry.example.com:443", undefined],
  ["https://registry.example.com:5000", "registry.example.com:443", "http://secure:3128/"],
  ["https://notexample.com", "example.com", "http://secure:3128/"],
  ["https://10.1.2.3:5000", "10.0.0.0/8", undefined],
  ["https://11.1.2.3:5000", "10.0.0.0/8", "http://secure:3128/"],
  ["https://10.1.2.3:5000", "other.io,10.1.2.3", undefined],
  ["https://10.1.2.3:5000", "10.1.2.3:443", "http://secure:3128/"],
  ["https://registry.example.com", "10.0.0.0/8", "http://secure:3128/"],
  ["https://10.1.2.3", "10.0.0.0/99", "http://secure:3128/"],
  ["https://[fd00::1]:5000", "fd00::1", undefined],
  ["https://[fd00::1]:5000", "FD00:0::1", undefined],
  ["https://[fd00::1]:5000", "[fd00::1]:5000", undefined],
  ["https://[fd00::1]:5000", "[fd00::1]:443", "http://secure:3128/"],
  ["https://[fd00::2]:5000", "fd00::1", "http://secure:3128/"],
  ["https://[fd00::1]:5000", "fd00::/8", undefined],
  ["https://[fe00::1]:5000", "fd00::/8,10.0.0.0/8", "http://secure:3128/"],
])("%s with NO_PROXY=%j goes through %s", (url, noProxy, proxy) => {
  const proxyFor = readProxySettings(undefined, { ...environment, NO_PROXY: noProxy });
  expect(proxyFor(new URL(url))?.href).toBe(proxy);
});

test("the option replaces the variables", () => {
  const url = new URL("https://registry.example.com");
  expect(readProxySettings(false, environment)(url)).toBeUndefined();
  expect(readProxySettings("https://other:8443", { NO_PROXY: "*" })(url)?.href).toBe("https://other:8443/");
});

test("what is no proxy is refused without being shown", () => {
  const refuse = () => readProxySettings("socks5://ann:hunter2@proxy", {});
  expect(refuse).toThrow(/is no address of an HTTP proxy/);
  expect(refuse).not.toThrow(/hunter2/);
});
