import type { OptionIssue } from "./invalid-options.ts";
import { nearestName } from "./nearest-name.ts";

const unknownKeyPrefix = "Unknown key ";

/** What is wrong with a key that options do not have, with the one that was most likely meant, else with all that there are. */
export function unknownKeyMessage(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known);
  if (nearest !== undefined) return `${unknownKeyPrefix}"${key}", did you mean "${nearest}"?`;
  return known.length > 0
    ? `${unknownKeyPrefix}"${key}", known are ${known.join(", ")}`
    : `${unknownKeyPrefix}"${key}"`;
}

/** Unknown keys first, because the other issues often follow from the typo. */
export function typosFirst(issues: readonly OptionIssue[]): readonly OptionIssue[] {
  return issues.toSorted((first, second) => Number(isUnknownKey(second)) - Number(isUnknownKey(first)));
}

function isUnknownKey({ message }: OptionIssue): boolean {
  return message.startsWith(unknownKeyPrefix);
}
