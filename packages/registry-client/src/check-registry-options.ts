import type { KeychainCall } from "@slipway/core";

import type { AddressGuardOptions } from "./address-guard.ts";
import type { OptionCheck, OptionChecks } from "./option-checks.ts";
import {
  amount,
  behaviourOf,
  callable,
  checkOptions,
  flag,
  limit,
  listOf,
  must,
  objectOf,
  optional,
  required,
  text,
} from "./option-checks.ts";
import { proxyProblem } from "./proxy-settings.ts";
import { mirrorProblem, registryProblem } from "./registry-name.ts";
import type { RegistryClientOptions, RegistryMirror } from "./registry-options.ts";

/** The longest that a timer waits. */
const maxTimeoutMs = 2 ** 31 - 1;

const keychain = must(
  (value) => typeof value === "object" && value !== null && "resolve" in value && typeof value.resolve === "function",
  "Must be a keychain, an object with the function `resolve`",
);

/** Each request has a signal of its own. */
const keychainCallChecks: OptionChecks<Omit<KeychainCall, "signal">> = {
  readSecret: optional(callable),
  readServiceAccount: optional(callable),
  runCredentialHelper: optional(callable),
  helperSite: optional(text()),
  warn: optional(callable),
};

const mirrorChecks: OptionChecks<Exclude<RegistryMirror, string>> = {
  registry: required(text(mirrorProblem)),
  http: optional(flag),
};

const mirror: OptionCheck = (value, path) =>
  typeof value === "string" ? text(mirrorProblem)(value, path) : objectOf(mirrorChecks)(value, path);

const guardChecks: OptionChecks<AddressGuardOptions> = { allow: optional(listOf(text())) };

const guard: OptionCheck = (value, path) =>
  typeof value === "object"
    ? objectOf(guardChecks)(value, path)
    : must((other) => other === false, "Must be an object, or false")(value, path);

const proxy: OptionCheck = (value, path) =>
  typeof value === "string"
    ? text(proxyProblem)(value, path)
    : must((other) => other === false, "Must be a URL, or false")(value, path);

const registryChecks: OptionChecks<RegistryClientOptions> = {
  registry: required(text(registryProblem)),
  credentials: optional(keychain),
  keychainCall: optional(behaviourOf(keychainCallChecks)),
  http: optional(flag),
  ca: optional(text()),
  insecure: optional(flag),
  proxy: optional(proxy),
  mirrors: optional(listOf(mirror)),
  guard: optional(guard),
  transport: optional(callable),
  retryDelaysMs: optional(listOf(amount(0, maxTimeoutMs))),
  answerTimeoutMs: optional(amount(1, maxTimeoutMs)),
  maxConcurrentRequests: optional(limit),
};

/** Refuses options of a client that make none. @throws `INVALID_OPTIONS` with everything that is wrong */
export function checkRegistryOptions(options: RegistryClientOptions): void {
  checkOptions("createRegistryClient", options, registryChecks);
}
