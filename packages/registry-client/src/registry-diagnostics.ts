import { redactSecrets } from "@slipway/core/errors";

import type { RegistryResponse } from "./registry-transport.ts";
import { readBody } from "./response-body.ts";

/** How much of an error body is read. */
export const maxDiagnosticsBytes = 64 * 1024;

/** What a registry says in an error body: each entry of its `errors`, or else the text itself. At most 64 KiB. */
export async function readDiagnostics(response: RegistryResponse): Promise<string[]> {
  return parseDiagnostics(await readBody(response, maxDiagnosticsBytes, "truncate").catch(() => new Uint8Array()));
}

/** @param bytes - An error body: JSON as the distribution specification has it, or whatever a proxy says. */
export function parseDiagnostics(bytes: Uint8Array): string[] {
  const text = new TextDecoder().decode(bytes).trim();
  const listed = listedErrors(text);
  if (listed.length > 0) return listed.map(redactSecrets);
  if (text === "") return [];
  return [redactSecrets(/^<(!doctype|html)/i.test(text) ? htmlText(text) : text)];
}

function listedErrors(text: string): string[] {
  try {
    const { errors, details } = JSON.parse(text) as { errors?: unknown; details?: unknown };
    if (!Array.isArray(errors)) return typeof details === "string" ? [details] : [];
    return errors.map((error: { code?: unknown; message?: unknown } | null) =>
      [error?.code, error?.message].filter((part) => typeof part === "string" && part !== "").join(": "),
    );
  } catch {
    return [];
  }
}

/** The words of a page, which is what a proxy in front of a registry answers with. */
function htmlText(page: string): string {
  return page
    .replace(/<(script|style)[\s\S]*?<\/\1>/gi, " ")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}
