/**
 * When a token says that it ends, in epoch milliseconds: the `exp` of a JWT, or the `expiration` in a password of Amazon ECR. `undefined` if it
 * does not say.
 */
export function tokenExpiry(token: string): number | undefined {
  const [, payload, signature] = token.split(".");
  const claims = payload !== undefined && signature !== undefined ? readJson(payload, "base64url") : undefined;
  const seconds = claims?.["exp"] ?? (token.length > 100 ? readJson(token, "base64")?.["expiration"] : undefined);
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds * 1_000 : undefined;
}

function readJson(text: string, encoding: "base64" | "base64url"): Readonly<Record<string, unknown>> | undefined {
  const decoded = Buffer.from(text, encoding).toString("utf8");
  if (!decoded.startsWith("{")) return undefined;
  try {
    return JSON.parse(decoded) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
