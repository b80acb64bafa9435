import { randomBytes } from "node:crypto";

/** An id that a daemon has not seen. */
export function randomId(): string {
  return randomBytes(16).toString("hex");
}
