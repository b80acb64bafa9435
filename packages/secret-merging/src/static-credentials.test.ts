import { describe, expect, test } from "vitest";

import { createKeychain, inspectKeychain, staticCredentials } from "./index.ts";
import { ask } from "./testing/keychain-questions.ts";

const create = (options: unknown): string => {
  try {
    staticCredentials(options as never);
    return "accepted";
  } catch (error) {
    return String(error);
  }
};

const registry = "r.io";

describe("staticCredentials", () => {
  test.each([
    [{ registry, user: "ann", password: "hunter2" }, 'user: Unknown key "user", did you mean "username"?'],
    [{ registry, usrname: "ann", password: "hunter2" }, 'usrname: Unknown key "usrname", did you mean "username"?'],
    [{ registry, identytToken: "hunter2" }, 'Unknown key "identytToken", did you mean "identityToken"?'],
    [{ registry, registrytoken: "hunter2" }, 'Unknown key "registrytoken", did you mean "registryToken"?'],
    [{ regsitry: registry, username: "ann", password: "hunter2" }, 'Unknown key "regsitry", did you mean "registry"?'],
    [
      { registry, username: "ann", password: "" },
      ": password: Is empty. Give it a value, or leave these credentials out",
    ],
    [{ registry, username: "ann" }, "Give either a username and a password, or"],
    [{ registry, username: "ann", password: undefined }, "Give either a username and a password, or"],
    [{ registry, username: "ann", password: "hunter2", identityToken: "hunter2" }, "Give either a username"],
    [{ registry }, "Give either a username and a password, or an identityToken, or a registryToken."],
    [{ username: "ann", password: "hunter2" }, ": registry: Is required"],
  ])("refuses %j and says what is wrong", (options, message) => {
    const one = create(options);
    expect(one).toContain(message);
    expect(one).not.toMatch(/\[0\]|hunter2/);
    expect(create([{ registry, registryToken: "t" }, options])).toContain("[1]");
  });

  test("may be none at all", async () => {
    expect(await ask(staticCredentials([]), registry)).toEqual([]);
  });

  test("are told apart by where they come from", async () => {
    const login = (username: string) => ({ registry, username, password: "hunter2" });
    const keychain = createKeychain(
      staticCredentials({ ...login("ann"), source: "flag --password" }),
      staticCredentials([
        { ...login("bob"), source: "variable TOKEN" },
        { registry, registryToken: "hunter2" },
      ]),
    );
    const sources = ["flag --password", "variable TOKEN", "credentials given for r.io"];
    expect((await ask(keychain, "r.io/app")).map(({ source }) => source)).toEqual(sources);
    const { conflicts, entries } = await inspectKeychain(keychain, { signal: AbortSignal.timeout(10_000) });
    expect(entries.map(({ source }) => source)).toEqual(sources);
    expect(conflicts).toMatchObject([{ sources, wins: "flag --password" }]);
    expect(create({ ...login("ann"), source: "" })).toContain("source: Is empty");
  });
});
