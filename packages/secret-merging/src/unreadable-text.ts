const inShellQuotes =
  "is wrapped in shell quotes: the command that made it quoted the JSON once too often. Make it anew with kubectl create secret … --from-file";

/** What is wrong with a text that is JSON, but only a string. Double quotes whose inner ones are escaped come from a shell, too. */
export function wrappedText(inner: string): string {
  return /^\s*\{[^]*\}\s*$/.test(inner) ? inShellQuotes : unreadableText(inner);
}

/**
 * What is wrong with a text that should have been JSON, without a word of it: the mistakes that people make with kubectl and a shell have
 * their own names.
 */
export function unreadableText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "is empty";
  if (isQuoted(trimmed)) return inShellQuotes;
  if (isEncodedJson(trimmed))
    return "is encoded in base64 twice. Encode it once, or leave that to kubectl create secret";
  return "is not JSON";
}

function isQuoted(text: string): boolean {
  return /^'[^]*'$/.test(text) || /^"\s*\{[^]*\}\s*"$/.test(text) || /^`[^]*`$/.test(text);
}

function isEncodedJson(text: string): boolean {
  if (!/^[A-Za-z0-9+/\s]+=*$/.test(text)) return false;
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64").toString("utf8"));
    return typeof value === "object";
  } catch {
    return false;
  }
}
