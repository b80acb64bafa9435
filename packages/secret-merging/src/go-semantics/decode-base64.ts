import type { ByteText } from "./byte-text.ts";

/**
 * Decodes base64 as strictly as Go: only the standard alphabet, padding where it must be and only there, line breaks anywhere. `undefined` where
 * Go has an error.
 */
export function decodeBase64(text: string, padding: "padded" | "unpadded"): ByteText | undefined {
  const digits = text.replace(/[\r\n]/g, "");
  const grammar =
    padding === "padded"
      ? /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
      : /^(?:[A-Za-z0-9+/]{4})*[A-Za-z0-9+/]{0,3}$/;
  if (!grammar.test(digits) || digits.length % 4 === 1) return undefined;
  return Buffer.from(digits, "base64").toString("latin1");
}
