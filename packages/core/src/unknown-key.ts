import { nearestName } from "./nearest-name.ts";

/** How {@link unknownKeyMessage} begins. */
export const unknownKeyPrefix = "Unknown key ";

/** What is wrong with a key that options do not have, with the one that was most likely meant, else with all that there are. */
export function unknownKeyMessage(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  if (nearest !== undefined) return `${unknownKeyPrefix}"${key}", did you mean "${nearest}"?`;
  return known.length > 0
    ? `${unknownKeyPrefix}"${key}", known are ${known.join(", ")}`
    : `${unknownKeyPrefix}"${key}"`;
}
