import { runCommand } from "../../../dev-cluster/src/run-command.ts";
import { ensureGoProgram } from "./go-program.ts";

/** Passwords by user. */
export type Passwords = Readonly<Record<string, string>>;

/** The text of an htpasswd file with bcrypt hashes, the only ones that registries take. */
export async function hashPasswords(passwords: Passwords): Promise<string> {
  return runCommand([await ensureGoProgram("htpasswd")], { input: JSON.stringify(passwords) });
}
