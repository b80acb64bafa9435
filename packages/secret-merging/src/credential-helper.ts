import type { ChildProcessByStdio } from "node:child_process";
import { spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";

import { unlessAborted } from "@slipway/core";
import type { Credential } from "@slipway/core";
import * as z from "zod/mini";

import { abortedError } from "./aborted-error.ts";
import { invalidCredentials } from "./invalid-credentials.ts";
import { tokenExpiry } from "./token-expiry.ts";

/** A question to a credential helper of Docker. */
export interface HelperCall {
  /** What follows `docker-credential-` in the name of the program. */
  readonly helper: string;
  /** The registry, spelled as in the configuration. */
  readonly serverUrl: string;
  /** Where the helper is configured, as diagnostics name it. */
  readonly source: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const answerSchema = z.object({ Username: z.string(), Secret: z.string() });
const notFound = "credentials not found in native keychain";

/**
 * Asks a credential helper, without a shell. `undefined` when it has no credentials for this registry.
 *
 * @throws `INVALID_OPTIONS` if the helper is not installed, fails, or does not answer in time.
 */
export async function askCredentialHelper(call: HelperCall): Promise<Credential | undefined> {
  requireHelperName(call.helper, call.source);
  return readHelperAnswer(await run(`docker-credential-${call.helper}`, call), call);
}

/** @throws `INVALID_OPTIONS` for what would be more than the name of a program. */
export function requireHelperName(helper: string, source: string): void {
  if (!/^[\w.-]+$/.test(helper)) throw invalidCredentials(source, `"${helper}" is not the name of a credential helper`);
}

/** How a helper has ended, and what it has printed. */
export interface HelperOutcome {
  readonly status: number | null;
  readonly output: string;
}

/**
 * Reads what a helper has printed, wherever it ran. `undefined` when it has no credentials.
 *
 * @throws `INVALID_OPTIONS` if it has failed.
 */
export function readHelperAnswer(
  { status, output }: HelperOutcome,
  { helper, serverUrl, source }: Pick<HelperCall, "helper" | "serverUrl" | "source">,
): Credential | undefined {
  const program = `docker-credential-${helper}`;
  if (status === 0) return parseAnswer(program, output.trim(), source);
  // Helpers print errors to stdout, and this very text when there is nothing.
  if (output.includes(notFound)) return undefined;
  throw invalidCredentials(
    source,
    `${program} ended with status ${status ?? "unknown"} for ${serverUrl}: ${output.trim().slice(0, 500)}`,
  );
}

type HelperProcess = ChildProcessByStdio<Writable, Readable, null>;

async function run(program: string, call: HelperCall): Promise<HelperOutcome> {
  const deadline = AbortSignal.timeout(call.timeoutMs);
  const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"] });
  try {
    // The signal of `spawn` ends with the program, whose output lasts as long as a process that it has left behind.
    return await unlessAborted(talk(child, call.serverUrl), AbortSignal.any([call.signal, deadline]), abortedError);
  } catch (error) {
    abandon(child);
    if (call.signal.aborted) throw abortedError(call.signal);
    throw invalidCredentials(call.source, `${program} ${failureOf(error, deadline, call)}`);
  }
}

/** Leaves nothing that keeps this process alive, whatever the program makes of its end. */
function abandon(child: HelperProcess): void {
  child.kill("SIGKILL");
  // One that could not be started for want of file descriptors has no pipes.
  const pipes: readonly (Readable | Writable | undefined)[] = [child.stdin, child.stdout];
  for (const pipe of pipes) pipe?.destroy();
  child.unref();
}

async function talk(child: HelperProcess, serverUrl: string): Promise<HelperOutcome> {
  const exit = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  // Whoever waits below hears of it, if it comes to that.
  exit.catch(() => undefined);
  // A helper that does not read its input closes the pipe early; its answer says what is wrong.
  child.stdin.on("error", () => undefined);
  child.stdin.end(serverUrl);
  const [status, output] = await Promise.all([exit, text(child.stdout)]);
  return { status, output };
}

function failureOf(error: unknown, deadline: AbortSignal, { timeoutMs }: HelperCall): string {
  if (deadline.aborted) return `did not answer within ${timeoutMs} ms`;
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return "is not installed. Put it on the PATH, or take it out of credsStore and credHelpers";
  }
  return `cannot be started: ${error instanceof Error ? error.message : String(error)}`;
}

function parseAnswer(program: string, output: string, source: string): Credential | undefined {
  const answer = answerSchema.safeParse(tryJson(output));
  if (!answer.success) throw invalidCredentials(source, `${program} answered with something else than credentials`);
  const { Username: username, Secret: secret } = answer.data;
  // Some helpers say with an empty answer that they have nothing.
  if (secret === "") return undefined;
  const expiresAtMs = tokenExpiry(secret);
  const common = { source: `${source}, ${program}`, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
  if (username === "<token>") return { ...common, type: "identity-token", token: secret };
  return { ...common, type: "basic", username, password: secret };
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
