import { BuilderError } from "@slipway/core/errors";
import { expect, it } from "vitest";

import { createRegistryClient } from "./registry-client.ts";
import type { RegistryClientOptions } from "./registry-options.ts";

/** The issues that options have, as `path: message`. */
function issuesOf(options: object): readonly string[] {
  try {
    createRegistryClient(options as RegistryClientOptions);
  } catch (error) {
    if (!BuilderError.isInstance(error) || error.code !== "INVALID_OPTIONS") throw error;
    expect(error.message).toMatch(/^Invalid options for createRegistryClient: /);
    return error.details.issues.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

const registry = "registry.example.com";

it.each<[string, object, string]>([
  ["no options", [], ": Must be an object"],
  ["no registry", {}, "registry: Is required"],
  ["https", { registry: "https://r.example.com" }, '"https://r.example.com" has a scheme; write "r.example.com"'],
  [
    "http",
    { registry: "http://r.example.com:5000/v2/" },
    'registry: "http://r.example.com:5000/v2/" has a scheme; write "r.example.com:5000" and set `http: true`',
  ],
  [
    "a path",
    { registry: "r.example.com/team" },
    '"r.example.com/team" has a path that does not belong there; write "r.example.com"',
  ],
  ["no host", { registry: "foo bar" }, 'registry: "foo bar" is no host'],
  ["an address that is none", { registry: "256.256.256.256" }, "is no host"],
  ["a port that is none", { registry: "r.example.com:99999" }, "is no host"],
  ["a query", { registry: "r.example.com?x" }, "is no host"],
  ["a fragment", { registry: "r.example.com#x" }, "is no host"],
  ["a path of another system", { registry: "r.example.com\\x" }, "is no host"],
  ["a line end", { registry: "r.example.com\n" }, "is no host"],
  [
    "a slash at the end",
    { registry: "r.example.com/" },
    'has a path that does not belong there; write "r.example.com"',
  ],
  ["an empty host", { registry: "" }, 'registry: "" is no host'],
  ["a number", { registry: 5000 }, "registry: Must be a string"],
  ["a typo", { registry, crednetials: {} }, 'crednetials: Unknown key "crednetials", did you mean "credentials"?'],
  ["an unknown key", { registry, xyz: undefined }, 'xyz: Unknown key "xyz", known are registry, credentials, '],
  ["credentials that are none", { registry, credentials: [] }, "credentials: Must be a keychain"],
  ["a text for a flag", { registry, http: "yes" }, "http: Must be true or false"],
  ["a file for an authority", { registry, ca: Buffer.from("x") }, "ca: Must be a string"],
  ["a proxy", { registry, proxy: true }, "proxy: Must be a URL, or false"],
  ["one mirror", { registry, mirrors: "m.example.com" }, "mirrors: Must be a list"],
  [
    "a mirror with a scheme",
    { registry, mirrors: ["https://m.io/hub"] },
    'mirrors[0]: "https://m.io/hub" has a scheme; write "m.io/hub"',
  ],
  [
    "a mirror with an empty folder",
    { registry, mirrors: ["m.io/hub/"] },
    'mirrors[0]: "m.io/hub/" has a path that does not belong there; write "m.io/hub"',
  ],
  [
    "a mirror whose folder leads out",
    { registry, mirrors: ["m.io/hub/.."] },
    'mirrors[0]: "m.io/hub/.." has a path that does not belong there; write "m.io"',
  ],
  [
    "a mirror with both",
    { registry, mirrors: ["https://m.io/hub/"] },
    'mirrors[0]: "https://m.io/hub/" has a scheme; write "m.io/hub"',
  ],
  [
    "a mirror's typo",
    { registry, mirrors: ["m.io", { registry: "m.io", htpp: true }] },
    "mirrors[1].htpp: Unknown key",
  ],
  ["a guard", { registry, guard: true }, "guard: Must be an object, or false"],
  ["a guard's typo", { registry, guard: { alow: [] } }, 'guard.alow: Unknown key "alow", did you mean "allow"?'],
  ["a guard's host", { registry, guard: { allow: [7] } }, "guard.allow[0]: Must be a string"],
  ["a transport", { registry, transport: {} }, "transport: Must be a function"],
  ["a wait", { registry, retryDelaysMs: [250, -1] }, "retryDelaysMs[1]: Must be a number from 0 to 2147483647"],
  ["waits that are one", { registry, retryDelaysMs: 5 }, "retryDelaysMs: Must be a list"],
  ["no time", { registry, answerTimeoutMs: 0 }, "answerTimeoutMs: Must be a number from 1 to 2147483647"],
  ["half a request", { registry, maxConcurrentRequests: 1.5 }, "maxConcurrentRequests: Must be a whole number from 1"],
  ["a call's warning", { registry, keychainCall: { warn: "loudly" } }, "keychainCall.warn: Must be a function"],
  ["a call that is none", { registry, keychainCall: "warn" }, "keychainCall: Must be an object"],
  ["less than no limit", { registry, maxConcurrentRequests: Number.NEGATIVE_INFINITY }, "maxConcurrentRequests: Must"],
])("%s is refused by the name of the option", (_, options, said) => {
  expect(issuesOf(options)).toEqual([expect.stringContaining(said)]);
});

it("all that is wrong is said at once, typos first", () => {
  const mirrors = [{ registry: "m.io", htpp: true }];
  expect(issuesOf({ registry: "foo bar", mirors: [], mirrors, http: 1 })).toEqual([
    expect.stringMatching(/^mirors: /),
    expect.stringMatching(/^mirrors\[0\]\.htpp: /),
    expect.stringMatching(/^registry: /),
    expect.stringMatching(/^http: /),
  ]);
});

it("a proxy that is none is among what is said, without its password", () => {
  const said = issuesOf({ registry: "foo bar", proxy: "socks5://ann:hunter2@proxy" });
  expect(said).toEqual([
    expect.stringMatching(/^registry: /),
    "proxy: is no address of an HTTP proxy; write http://host:port",
  ]);
});

it("a password in front of a host is not repeated", () => {
  const said = issuesOf({ registry: "ann:hunter2@registry.example.com" });
  expect(said).toEqual([expect.stringMatching(/^registry: Names a user; .*`credentials`/)]);
  expect(said.join()).not.toContain("hunter2");
});

/** As somebody may keep settings: behind getters, and with what the settings are read from. */
class Settings {
  get registry(): string {
    return registry;
  }
  get http(): boolean {
    return true;
  }
}

class Cluster {
  readonly namespace = "builds";
  readonly warn = (): void => undefined;
  readSecret(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
}

it("what is inherited counts, for good or ill", () => {
  expect(issuesOf(Object.create({ registry, http: "yes" }) as object)).toEqual(["http: Must be true or false"]);
});

it.each<[string, RegistryClientOptions]>([
  ["an instance of a class", new Settings()],
  ["what is inherited", Object.create({ registry, mirrors: ["m.io"] }) as RegistryClientOptions],
  ["a call that is more than that", { registry, keychainCall: new Cluster() }],
  ["no limit", { registry, maxConcurrentRequests: Number.POSITIVE_INFINITY }],
  ["Docker Hub", { registry: "docker.io" }],
  ["a port", { registry: "localhost:5000" }],
  ["an address", { registry: "[::1]:5000" }],
  ["a Service", { registry: "registry.builds.svc" }],
  ["a name alone", { registry: "registry" }],
  ["an underscore", { registry: "my_registry:5000" }],
  ["a dot at the end", { registry: "registry.example.com." }],
  ["a letter beyond ASCII", { registry: "régistry.example.com" }],
  ["a mirror with an underscore", { registry, mirrors: ["my_mirror:5000/hub"] }],
  ["mirrors", { registry, mirrors: ["127.0.0.1:5000/hub", { registry: "m.io", http: undefined }] }],
  ["no guard, proxy or waits", { registry, guard: false, proxy: false, retryDelaysMs: [] }],
  ["a proxy", { registry, proxy: "proxy.corp.example:3128" }],
  ["a guard", { registry, guard: { allow: ["*.corp.example"] } }],
  [
    "explicit undefined",
    {
      ...{ registry, credentials: undefined, keychainCall: undefined, http: undefined, ca: undefined },
      ...{ insecure: undefined, proxy: undefined, mirrors: undefined, guard: undefined, transport: undefined },
      ...{ retryDelaysMs: undefined, answerTimeoutMs: undefined, maxConcurrentRequests: undefined },
    },
  ],
])("%s is taken", (_, options) => {
  expect(issuesOf(options)).toEqual([]);
});
