import { expect } from "vitest";

/** Names of repositories with a user before them, all of whose passwords are `hunter2`. */
export const namesWithPasswords = [
  "ann:hunter2@registry.example.com/team/api",
  "ann:hunter2@registry.example.com",
  "hunter2@ghcr.io/team/api:v1",
  "ann:hunter2@registry.example.com:5000",
  "ann:x/hunter2@registry.example.com/team/api",
  "ann:x/hunter2@registry.example.com",
  `ann:hunter2@registry.example.com/team/api@sha256:${"a".repeat(64)}`,
];

/** What is thrown, or `undefined`. */
export function thrownBy(ask: () => unknown): unknown {
  try {
    ask();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Expects that a repository is refused for its user, and that nothing of the password is said. */
export function expectHiddenPassword(ask: () => unknown): void {
  const error = thrownBy(ask);
  expect(error).toMatchObject({ code: "INVALID_OPTIONS", details: { issues: [{ path: "repository" }] } });
  expect(JSON.stringify(error)).toContain("Names a user; leave that out");
  expect(JSON.stringify(error)).not.toContain("hunter2");
}
