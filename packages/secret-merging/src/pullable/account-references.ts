/** What a ServiceAccount's `imagePullSecrets` shall be. */
export interface ReferenceChange {
  /** Names that must be there, in this order among each other. */
  readonly wanted: readonly string[];
  /** Names that must go. */
  readonly obsolete: readonly string[];
}

/**
 * The new list of names, or `undefined` if the present one will do. What others have put there stays where it is, and what is missing comes
 * last: the kubelet tries Secrets in this order.
 */
export function updateReferences(
  present: readonly string[],
  { wanted, obsolete }: ReferenceChange,
): readonly string[] | undefined {
  const kept = present.filter((name) => !obsolete.includes(name));
  const ours = kept.filter((name) => wanted.includes(name));
  const ordered = ours.length === wanted.length && ours.every((name, index) => name === wanted[index]);
  if (ordered) return kept.length === present.length ? undefined : kept;
  return [...kept.filter((name) => !wanted.includes(name)), ...wanted];
}
