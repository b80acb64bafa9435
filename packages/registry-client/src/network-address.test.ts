import { expect, test } from "vitest";

import { addressKind, hostKind } from "./network-address.ts";

test.each([
  ["169.254.169.254", "metadata"],
  ["169.254.170.2", "metadata"],
  ["fd00:ec2::254", "metadata"],
  ["100.100.100.200", "metadata"],
  ["168.63.129.16", "metadata"],
  ["::ffff:169.254.169.254", "metadata"],
  ["::ffff:a9fe:a9fe", "metadata"],
  ["64:ff9b::a9fe:a9fe", "metadata"],
  ["2002:a9fe:a9fe::1", "metadata"],
  ["127.0.0.1", "loopback"],
  ["127.8.8.8", "loopback"],
  ["0.0.0.0", "loopback"],
  ["::1", "loopback"],
  ["::", "loopback"],
  ["::ffff:127.0.0.1", "loopback"],
  ["::7f00:1", "loopback"],
  ["169.254.1.1", "link-local"],
  ["fe80::1%eth0", "link-local"],
  ["10.1.2.3", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.0.1", "private"],
  ["100.64.0.1", "private"],
  ["fd12:3456::1", "private"],
  ["224.0.0.1", "private"],
  ["255.255.255.255", "private"],
  ["172.32.0.1", "public"],
  ["8.8.8.8", "public"],
  ["2606:4700::1111", "public"],
  ["2002:808:808::1", "public"],
])("the address %s is %s", (address, kind) => {
  expect(addressKind(address)).toBe(kind);
});

test.each([
  ["metadata.google.internal", "metadata"],
  ["METADATA.google.internal.", "metadata"],
  ["localhost", "loopback"],
  ["app.localhost", "loopback"],
  ["[::1]", "loopback"],
  ["[fd00:ec2::254]", "metadata"],
  ["registry", "internal-name"],
  ["registry.builds.svc", "internal-name"],
  ["registry.builds.svc.cluster.local", "internal-name"],
  ["vault.internal", "internal-name"],
  ["registry.example.com", "public"],
  ["10.example.com", "public"],
])("the host %s is %s", (host, kind) => {
  expect(hostKind(host)).toBe(kind);
});

test.each(["0177.0.0.1", "2130706433", "0x7f.1", "127.1"])(
  "a URL resolves the spelling %s before it is judged",
  (host) => {
    expect(hostKind(new URL(`http://${host}/`).hostname)).toBe("loopback");
  },
);
